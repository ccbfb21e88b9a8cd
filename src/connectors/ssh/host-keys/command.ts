/** KnownHostsCommand: a program that knows hosts. @module */
import { ConnectError } from "../../../core/errors.ts";
import { runProcess } from "../../shared/process.ts";
import { parseCertificate } from "../certificate.ts";
import type { TokenCommand } from "../config/index.ts";
import { placeText } from "../config/lines.ts";
import { fingerprint, keyTypeOf } from "../wire.ts";
import { type KnownKey, parseKnownHosts, speaksOf } from "./known-hosts.ts";

/** What running it takes. */
export interface Asking {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Seconds that it may take. */
const LONGEST = 30;

/** Whom it is asked about. */
export interface AskedHost {
  /** Name in known_hosts. */
  readonly name: string;
  readonly hostname: string;
  /** What it has shown; before that, the order of its keys' types is asked about. */
  readonly key: Buffer | undefined;
}

/** Lines as a known_hosts file has them. Throws `ConnectError` where ssh would not connect. */
export async function askKnownHostsCommand(
  command: TokenCommand,
  { name, hostname, key }: AskedHost,
  { env, signal }: Asking,
): Promise<readonly KnownKey[]> {
  const at = placeText(command.at);
  const fail = (problem: string, cause?: unknown): ConnectError =>
    new ConnectError(`KnownHostsCommand (${at}) ${problem}`, { cause, hint: "See KnownHostsCommand in ssh_config(5)" });
  if (!command.program.startsWith("/"))
    throw fail(`names ${JSON.stringify(command.program)}, which is not an absolute path`);
  const tokens =
    key === undefined
      ? // Without the port, as ssh does it.
        { H: hostname, I: "ORDER", t: "NONE", f: "NONE", K: "NONE" }
      : {
          H: name,
          I: "HOSTNAME",
          t: keyTypeOf(key),
          f: fingerprint(parseCertificate(key)?.key ?? key),
          K: key.toString("base64"),
        };
  const limit = AbortSignal.timeout(LONGEST * 1000);
  try {
    const { exitCode, stdout, stderr } = await runProcess([command.program, ...command.args(tokens)], {
      env,
      signal: AbortSignal.any([signal, limit]),
    });
    if (exitCode !== 0)
      throw fail(`ended with exit code ${exitCode}: ${Buffer.from(stderr).toString().trim() || "it gave no reason"}`);
    return parseKnownHosts(Buffer.from(stdout).toString(), `KnownHostsCommand (${at})`).filter(
      line => speaksOf(line, name) || (key === undefined && speaksOf(line, hostname)),
    );
  } catch (error) {
    if (error instanceof ConnectError || signal.aborted) throw error;
    throw fail(
      limit.aborted ? `did not end within ${LONGEST} seconds` : `cannot be run: ${(error as Error).message}`,
      error,
    );
  }
}
