/**
 * Connects to hosts in a process of its own, which sees the machine as its test has arranged it. Reads from its standard input
 * `{ home, timeout, hosts: [{ name, data }], stuck: [{ name, data }] }`; writes a line of JSON for each host that has answered or failed.
 * Those that are stuck are begun first and called off when all others are through. @module
 */
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import { TsinfraError } from "../../src/core/errors.ts";
import { connectorContext, targetFor } from "./connectors.ts";

interface Wanted {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}
const { home, timeout, hosts, stuck } = (await Bun.stdin.json()) as {
  readonly home: string;
  readonly timeout: number;
  readonly hosts: readonly Wanted[];
  readonly stuck: readonly Wanted[];
};
const connector = createSshConnector({ home, env: {}, systemConfigFile: "/nonexistent" });
const controller = new AbortController();

async function answer({ name, data }: Wanted, signal: AbortSignal): Promise<void> {
  let told: Readonly<Record<string, unknown>>;
  try {
    const connection = await connector.connect!(targetFor(name, data, { timeout, signal }), connectorContext());
    const { stdout } = await connection.run(sh`echo "$SSH_CONNECTION"`);
    told = { answer: Buffer.from(stdout).toString().trim() };
  } catch (error) {
    told = error instanceof TsinfraError ? { code: error.code, error: error.message } : { error: String(error) };
  }
  console.log(JSON.stringify({ name, ...told }));
}

const waiting = stuck.map(host => answer(host, controller.signal));
await Promise.all(hosts.map(host => answer(host, new AbortController().signal)));
controller.abort(new Error("Called off"));
await Promise.all(waiting);
await connector.close?.();
process.exit(0);
