/** What comes out of the channel of a command, and what it says of it. */
import { expect, test } from "bun:test";
import { sh } from "../../src/core/command.ts";
import { ChannelOutput } from "../../src/engine/host/channel-output.ts";
import { escalate } from "../../src/engine/host/escalation.ts";

const nonce = `tsinfra-${"0".repeat(32)}`;

function outputOf(pty: boolean, onOutput: () => Promise<void> | void = () => {}): ChannelOutput {
  const marksOutput = !pty;
  const escalated = escalate(sh`true`, { shell: "sh", env: {} }, nonce, { pty });
  const expected = { host: "web-1", way: "The login shell", nonce, scripted: true, tellsEnd: false, marksOutput };
  return new ChannelOutput({ ...expected, escalated }, { pty }, onOutput);
}

test("whoever asks for something before the command begins is given up, and what the command asks then is its own", () => {
  const asked = outputOf(true);
  void asked.push("stdout", Buffer.from("Token: "));
  expect(asked.giveUp()?.message).toContain('asks "Token:"');
  const begun = outputOf(true);
  void begun.push("stdout", Buffer.from(`${nonce} 42\nDownloading... `));
  expect(begun.giveUp()).toBeUndefined();
});

test("what is being taken can be waited for", async () => {
  const slow = Promise.withResolvers<void>();
  const output = outputOf(false, () => slow.promise);
  await output.taken;
  void output.push("stderr", Buffer.from(`${nonce} 42\n`));
  void output.push("stdout", Buffer.from(`${nonce}o 42\nout\n`));
  expect(Bun.peek.status(output.taken)).toBe("pending");
  slow.resolve();
  await output.taken;
});

test("what comes when it is over is nobody's", () => {
  const output = outputOf(false);
  void output.push("stderr", Buffer.from(`${nonce} 42\nsaid`));
  output.close();
  void output.push("stderr", Buffer.from("Terminated\n"));
  expect(output.printed).toEqual({ stdout: "", stderr: "said", isCut: false });
});
