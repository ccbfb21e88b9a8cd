/** A password that was refused, and all that wanted it. */
import { expect, test } from "bun:test";
import { Secret } from "../../src/core/command.ts";
import { operation, raw, sh } from "../../src/public/index.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";

const run = operation<{ readonly lines: readonly string[] }>({
  name: "test.run",
  async *steps(_, { lines }) {
    for (const line of lines) yield sh`${raw(line)}`;
  },
});

test("is told with each operation by its own place, and by no other's failures", async () => {
  const stderr = "sudo: 1 incorrect password attempt\n";
  const fake = fakeRun(["a"], { answer: () => ({ exitCode: 1, stderr, isRefusal: true }) });
  const sudo = { _sudo: true, _sudoPassword: new Secret("wrong"), _ignoreErrors: true };
  await runAll(fake, () => {
    run({ name: "One", lines: ["one", "two"], ...sudo, _continueOnError: true });
    run({ name: "Two", lines: ["three"], ...sudo });
  });
  const message = "The password for sudo was refused: sudo: 1 incorrect password attempt";
  const [one, two] = fake.of("operation:host:end");
  expect(one?.error?.message).toBe(`${message}. After that another command failed: ${message}`);
  expect(two?.error?.message).toBe(message);
  expect(two?.error?.at?.line).toBe(one!.error!.at!.line + 1);
});
