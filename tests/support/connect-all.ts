/**
 * Connects to hosts in a process of its own, which sees the machine as its test has arranged it. Reads from its standard input
 * `{ home, timeout, hosts: [{ name, data }], stuck: [{ name, data }], leave }`; writes a line of JSON for each host that has answered or failed.
 * Those that are stuck are begun first and called off when all others are through. With `leave` it keeps so many files open that this many are left. @module
 */
import { closeSync, openSync } from "node:fs";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { loadLibrary } from "../../src/connectors/ssh/library.ts";
import { sh } from "../../src/core/command.ts";
import { TsinfraError } from "../../src/core/errors.ts";
import { openChain } from "../../src/engine/host/chain.ts";
import { connectorContext } from "./connectors.ts";

interface Wanted {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}
const { home, timeout, hosts, stuck, leave } = (await Bun.stdin.json()) as {
  readonly home: string;
  readonly timeout: number;
  readonly hosts: readonly Wanted[];
  readonly stuck: readonly Wanted[];
  readonly leave?: number;
};
const connector = createSshConnector({ home, env: {}, systemConfigFile: "/nonexistent" });
const controller = new AbortController();
await loadLibrary();
if (leave === undefined) connector.expect?.(hosts.length + stuck.length);
else fill(leave);

function fill(left: number): void {
  const files: number[] = [];
  try {
    for (;;) files.push(openSync("/dev/null", "r"));
  } catch {
    for (const file of files.splice(0, left)) closeSync(file);
  }
}

async function answer({ name, data }: Wanted, signal: AbortSignal): Promise<void> {
  let told: Readonly<Record<string, unknown>>;
  try {
    const connection = await openChain(
      { name, connector: "ssh", address: name },
      { connectors: new Map([["ssh", connector]]), connectorContext: connectorContext(), data, timeout, signal },
    );
    const { stdout } = await connection.run(sh`echo "$SSH_CONNECTION"`);
    told = { answer: Buffer.from(stdout).toString().trim() };
  } catch (error) {
    told =
      error instanceof TsinfraError
        ? { code: error.code, error: error.message, hint: error.hint }
        : { error: String(error) };
  }
  console.log(JSON.stringify({ name, ...told }));
}

const waiting = stuck.map(host => answer(host, controller.signal));
await Promise.all(hosts.map(host => answer(host, new AbortController().signal)));
controller.abort(new Error("Called off"));
await Promise.all(waiting);
await connector.close?.();
process.exit(0);
