/** Restarting a host. @module */
import { type FunctionCall, sh } from "../../core/command.ts";
import { HostKeyError, OperationError, OperationValueError, TsinfraError } from "../../core/errors.ts";
import type { HostControl } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { withArguments } from "../../core/steps.ts";

/** Arguments of `server.reboot`. */
export interface RebootArguments {
  /** Seconds to wait before the first attempt to connect again; default 10. */
  readonly delay?: number;
  /** Seconds between attempts; default 1. */
  readonly interval?: number;
  /** Seconds after which it fails if the host is not back; default 300. */
  readonly rebootTimeout?: number;
}

/**
 * Restart the host and wait until it is back: connected, and started anew.
 * @example server.reboot({ delay: 30, rebootTimeout: 600 });
 */
export const reboot = operation<RebootArguments>({
  name: "server.reboot",
  idempotent: "it restarts every time",
  async *steps(_, { delay = 10, interval = 1, rebootTimeout = 300 }) {
    for (const [name, value] of Object.entries({ delay, interval, rebootTimeout })) {
      if (!Number.isFinite(value) || value < 0)
        throw new OperationValueError(`\`${name}\` is ${JSON.stringify(value)}; wanted is a number of seconds`);
    }
    let before = "";
    yield call("note when the host was started", async host => {
      before = await startMark(host);
    });
    // -1: the connection is lost before the command has ended.
    yield withArguments(sh`reboot`, { _successExitCodes: [0, -1] });
    yield call("wait until the host is back", async host => {
      const deadline = host.now() + rebootTimeout * 1000;
      await host.sleep(delay);
      do {
        await host.disconnect();
        if (await isBack(host, before, Math.max(1, (deadline - host.now()) / 1000))) return;
        await host.sleep(interval);
      } while (host.now() < deadline);
      throw new OperationError(`The host is not back after ${rebootTimeout} seconds`, { host: host.name });
    });
  },
});

const call = (name: string, run: (host: HostControl) => Promise<void>): FunctionCall<HostControl> => ({
  kind: "function",
  name,
  run,
});

/** One attempt; a host that still goes down answers too, but was started when it was before. */
async function isBack(host: HostControl, before: string, remaining: number): Promise<boolean> {
  try {
    await host.connect({ timeout: Math.min(remaining, ATTEMPT) });
    const mark = await startMark(host);
    return mark === "" || mark !== before;
  } catch (error) {
    // While it starts, a host refuses connections, logins and commands; another key means another host.
    if (error instanceof HostKeyError || !(error instanceof TsinfraError)) throw error;
    return false;
  }
}

/** Seconds that one attempt may take: a host that is down need not refuse. */
const ATTEMPT = 10;

/** Different after each start of the host; empty where it cannot be told. */
async function startMark(host: HostControl): Promise<string> {
  const asked = sh`cat /proc/sys/kernel/random/boot_id 2>/dev/null || sysctl -n kern.boottime 2>/dev/null || who -b 2>/dev/null || true`;
  return (await host.run(asked, { _timeout: ATTEMPT })).stdout.trim();
}
