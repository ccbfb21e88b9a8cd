import { describe, expect, test } from "bun:test";
import { Outlet } from "../../src/cli/outlet.ts";

/** A reader that takes what it is told to. */
function reader() {
  const chunks: Buffer[] = [];
  const queue: { readonly chunk: string | Uint8Array; readonly onDone: (error?: Error | null) => void }[] = [];
  return {
    stream: {
      write: (chunk: string | Uint8Array, onDone: (error?: Error | null) => void) => {
        chunks.push(Buffer.from(chunk));
        queue.push({ chunk, onDone });
      },
      on: () => {},
    },
    /** All that it was given. */
    chunks,
    get waiting() {
      return queue.length;
    },
    take: (count = 1) => queue.splice(0, count).forEach(({ onDone }) => onDone()),
    fail: (code: string) => queue.splice(0).forEach(({ onDone }) => onDone(Object.assign(new Error(code), { code }))),
  };
}

/** Whether a promise has settled, once everything that can happen by itself has. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.finally(() => (settled = true));
  await new Promise(resolve => setImmediate(resolve));
  return settled;
}

const MEGABYTE = "x".repeat(1024 * 1024);

describe("an outlet", () => {
  test("is flushed when the last byte has been taken, not before", async () => {
    const { stream, take } = reader();
    const outlet = new Outlet(stream);
    for (const text of ["one", "zwei ü", ""]) outlet.write(text);
    expect(outlet.pending).toBe(10);
    const flushed = outlet.flush();
    expect(await hasSettled(flushed)).toBe(false);
    take();
    expect([await hasSettled(flushed), outlet.pending]).toEqual([true, 0]);
    await outlet.flush();
  });

  test("writes the texts of one turn in one, before bytes that come behind them", async () => {
    const written: string[] = [];
    const outlet = new Outlet({
      write: (chunk, onDone) => void (written.push(String(Buffer.from(chunk))), onDone()),
      on: () => {},
    });
    for (const text of ["a\n", "b\n"]) outlet.write(text);
    outlet.write(Buffer.from("bytes"));
    for (const text of ["c\n", "d\n"]) outlet.write(text);
    expect(written).toEqual(["a\nb\n", "bytes"]);
    await outlet.flush();
    expect([written, outlet.pending]).toEqual([["a\nb\n", "bytes", "c\nd\n"], 0]);
  });

  test("gives a pipe whole lines, and what is dropped is dropped whole", async () => {
    const world = reader();
    const outlet = new Outlet(world.stream);
    const lines = Array.from({ length: 500 }, (_, index) => `${index} ${"ü".repeat(index % 90)}\n`);
    const long = `${"x".repeat(100_000)}\n`;
    const all = [...lines, long, ...lines];
    for (const line of all) outlet.write(line);
    for (let taken = 0; taken < 20; taken++) world.take();
    outlet.discard();
    const flushed = outlet.flush();
    while (world.waiting > 0) world.take();
    await flushed;
    expect(outlet.pending).toBe(0);
    for (const chunk of world.chunks) {
      expect(chunk.at(-1)).toBe(10);
      if (chunk.length > 4096) expect(String(chunk)).toBe(long);
    }
    const taken = String(Buffer.concat(world.chunks.slice(0, -1)));
    expect(taken).toContain(long);
    expect(taken.length).toBeLessThan(all.join("").length);
    expect(all.join("")).toStartWith(taken);
  });

  test("says when there is no room, and when there is again", async () => {
    const { stream, take } = reader();
    const outlet = new Outlet(stream);
    outlet.write(MEGABYTE);
    expect(outlet.room()).toBeUndefined();
    outlet.write("more");
    const room = outlet.room()!;
    expect(await hasSettled(room)).toBe(false);
    take();
    expect(await hasSettled(room)).toBe(true);
    expect(outlet.room()).toBeUndefined();
  });

  test("that cannot be written any more is told once, keeps nobody waiting, and takes nothing more", async () => {
    const world = reader();
    const outlet = new Outlet(world.stream);
    const failures: Error[] = [];
    outlet.onFailure = error => void failures.push(error);
    for (const text of [MEGABYTE, "a", "b"]) outlet.write(text);
    const waiting = Promise.all([outlet.room(), outlet.flush()]);
    world.fail("ENOSPC");
    expect(await hasSettled(waiting)).toBe(true);
    expect(failures).toMatchObject([{ code: "ENOSPC" }]);
    outlet.write("c");
    expect([world.waiting, outlet.room()]).toEqual([0, undefined]);
    await outlet.flush();
  });
});
