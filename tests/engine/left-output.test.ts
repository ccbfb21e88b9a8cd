/** What is known of commands that ended before something went wrong. */
import { expect, test } from "bun:test";
import { ConnectionLostError } from "../../src/core/errors.ts";
import { operation, type OperationHandle, sh } from "../../src/public/index.ts";
import { type Answer, fakeRun, runAll } from "../support/fake-run.ts";

for (const fast of [true, false])
  test(`what was printed before a timeout, or a lost connection, stays known (fast paths ${fast ? "on" : "off"})`, async () => {
    for (const end of ["timeout", "loss"]) {
      const fake = fakeRun(
        ["a"],
        {
          answer: (_, sent, { onOutput }) => {
            if (sent === "first") return { stdout: "one\n" };
            onOutput?.("stdout", Buffer.from("two\n"));
            return end === "loss" ? new ConnectionLostError("Gone") : (new Promise<Answer>(() => {}) as never);
          },
        },
        { fast },
      );
      let handle: OperationHandle | undefined;
      await runAll(fake, () => {
        const lines = operation({
          name: "test.two",
          async *steps() {
            yield sh`first`;
            yield sh`second`;
          },
        });
        handle = lines({ _timeout: 0.05, _ignoreErrors: true });
      });
      expect([end, handle!.stdout]).toEqual([end, end === "timeout" ? "one\ntwo" : "one"]);
      expect(fake.of("operation:host:end")[0]).toMatchObject({ outcome: "ignored", commands: 1 });
    }
  });
