/** What of that which comes out of a channel is the command's own, while somebody is ending it. */
import { expect, test } from "bun:test";
import { sh } from "../../src/core/command.ts";
import { ChannelOutput } from "../../src/engine/host/channel-output.ts";
import { escalate } from "../../src/engine/host/escalation.ts";

function begun() {
  const nonce = `tsinfra-${"0".repeat(32)}`;
  const told: string[] = [];
  const escalated = escalate(sh`true`, { shell: "sh", env: {} }, nonce);
  const expected = { host: "web-1", way: "The login shell", nonce, scripted: true, tellsEnd: false, marksOutput: true };
  const output = new ChannelOutput({ ...expected, escalated }, {}, (stream, chunk) => {
    told.push(`${stream} ${Buffer.from(chunk).toString()}`);
  });
  void output.push("stderr", Buffer.from(`${nonce} 42\n`));
  void output.push("stdout", Buffer.from(`${nonce}o 42\n`));
  const ending = Promise.withResolvers<void>();
  const result = { exitCode: 3, stdout: new Uint8Array(), stderr: new Uint8Array() };
  return { output, told, ending, result };
}

test("what it prints meanwhile is told in its order when it ended by itself, and not before", async () => {
  const { output, told, ending, result } = begun();
  const used = Buffer.from("one");
  void output.push("stdout", Buffer.from("early"));
  output.hold(ending.promise);
  for (const [stream, text] of [
    ["stdout", "one"],
    ["stderr", "two"],
    ["stdout", "thr"],
  ] as const) {
    used.write(text);
    void output.push(stream, used);
  }
  expect(told).toEqual(["stdout early"]);
  await output.release();
  expect(told).toEqual(["stdout early", "stdout one", "stderr two", "stdout thr"]);
  const { exitCode, stdout, stderr } = output.ran(result);
  expect([exitCode, Buffer.from(stdout).toString(), Buffer.from(stderr).toString()]).toEqual([3, "earlyonethr", "two"]);
});

test("what it prints meanwhile is nobody's when it was ended", () => {
  const { output, told, ending } = begun();
  output.hold(ending.promise);
  void output.push("stderr", Buffer.from("Terminated\n"));
  output.close();
  void output.push("stderr", Buffer.from("Terminated again\n"));
  expect(told).toEqual([]);
  expect(output.printed).toEqual({ stdout: "", stderr: "", isCut: false });
});

test("with a megabyte kept aside the rest waits until it is known how it ended", async () => {
  const { output, ending } = begun();
  output.hold(ending.promise);
  expect(output.push("stdout", Buffer.alloc(1_000_000))).toBeUndefined();
  const waiting = output.push("stdout", Buffer.from("x"));
  expect(Bun.peek.status(waiting as Promise<void>)).toBe("pending");
  ending.resolve();
  expect(await waiting).toBeUndefined();
});
