import { describe, expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import { onAbort, unlessAborted } from "../../src/core/abort.ts";

const never = new Promise<never>(() => {});

describe("onAbort", () => {
  test("calls once when the signal is aborted, at once if it is already, and never without one", () => {
    const controller = new AbortController();
    let calls = 0;
    const taken = onAbort(controller.signal, () => calls++);
    expect(calls).toBe(0);
    controller.abort();
    expect(calls).toBe(1);
    onAbort(controller.signal, () => calls++);
    expect(calls).toBe(2);
    onAbort(undefined, () => calls++);
    taken[Symbol.dispose]();
    expect(calls).toBe(2);
  });

  test("is taken back by disposing", () => {
    const controller = new AbortController();
    let calls = 0;
    {
      using _ = onAbort(controller.signal, () => calls++);
    }
    controller.abort();
    expect(calls).toBe(0);
  });
});

describe("unlessAborted", () => {
  test("gives what the promise gives, and leaves no listener behind", async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
    expect(await unlessAborted(Promise.resolve(2), undefined)).toBe(2);
    const failed = new Error("failed");
    await expect(unlessAborted(Promise.reject(failed), signal)).rejects.toBe(failed);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("rejects with the signal's reason, and does not wait for the promise", async () => {
    const controller = new AbortController();
    const waiting = unlessAborted(never, controller.signal);
    const reason = new Error("called off");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(unlessAborted(never, controller.signal)).rejects.toBe(reason);
    // What is there already is given all the same.
    expect(await unlessAborted(Promise.resolve(1), controller.signal)).toBe(1);
  });

  test("a promise that fails after that is nobody's surprise", async () => {
    const controller = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const waiting = unlessAborted(promise, controller.signal);
    controller.abort(new Error("called off"));
    await expect(waiting).rejects.toThrow("called off");
    reject(new Error("too late"));
    await Bun.sleep(0);
  });
});
