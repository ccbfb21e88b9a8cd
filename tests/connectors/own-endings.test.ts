/** Commands over a connector of the user's own that are told to end. */
import { expect, test } from "bun:test";
import { checkedConnector } from "../../src/connectors/own.ts";
import { sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { isAlive } from "../support/is-alive.ts";
import { localSession } from "../support/local-session.ts";

/** Like ssh without a terminal: what it carries goes on when the carrier is gone. */
const CARRIER = 'setsid sh -c "$1" </dev/null & wait $!';

/** A connection as most would write it: it kills its carrier on abort, and resolves with the carrier's exit code. */
const carried: Connection = {
  async run(command, { onOutput, signal } = {}) {
    const carrier = Bun.spawn(["sh", "-c", CARRIER, "sh", command.wire()], { stdout: "pipe", stderr: "pipe" });
    signal?.addEventListener("abort", () => carrier.kill());
    const heard = Promise.all(
      (["stdout", "stderr"] as const).map(async stream => {
        for await (const chunk of carrier[stream]) await onOutput?.(stream, chunk);
      }),
    );
    const exitCode = await carrier.exited;
    if (!signal?.aborted) await heard;
    return { exitCode, stdout: new Uint8Array(), stderr: new Uint8Array() };
  },
  async close() {},
};

test("one has not come to its end, and is ended on the host", async () => {
  const connector = checkedConnector({
    name: "own",
    summary: "One",
    can: { pty: false, rsync: false },
    dataKeys: {},
    connect: async () => carried,
  });
  const session = localSession({
    fast: false,
    connect: () => connector.connect!(targetFor("web"), connectorContext()),
  });
  const surroundings = { shell: "sh", env: {} };
  const stop = new AbortController();
  const reason = new Error("enough");
  let pid = "";
  const ran = session.run(sh`echo $$; exec sleep 600`, {
    surroundings,
    signal: stop.signal,
    onOutput(_, chunk) {
      pid += Buffer.from(chunk).toString();
      if (pid.endsWith("\n")) stop.abort(reason);
    },
  });
  expect(await ran.catch((error: unknown) => error)).toBe(reason);
  expect(isAlive(Number(pid))).toBe(false);
  await session.disconnect();
});
