/** What connectors that bring hosts, and run nothing themselves, have in common. @module */
import { readFile } from "node:fs/promises";
import type { Connector } from "../../core/connector.ts";
import { InventoryError, LocalFileError } from "../../core/errors.ts";
import { utf8 } from "../../core/utf8.ts";
import { MOST_CAPTURED } from "../shared/output.ts";
import { runProcess } from "../shared/process.ts";

/** Surroundings of connectors that bring hosts. */
export interface FinderOptions {
  /** The home directory; default: the user's own. */
  readonly home?: string;
  /** The whole environment of the programs that are asked; default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A connector that brings hosts. */
export const finder = (name: string, summary: string, hosts: NonNullable<Connector["hosts"]>): Connector => ({
  name,
  summary,
  can: { pty: false, rsync: false },
  dataKeys: {},
  hosts,
});

/** How long a program may take to say which hosts there are, in seconds. */
const SECONDS = 300;

/** A program's stdout. Throws `InventoryError`. */
export async function outputOf(
  argv: readonly string[],
  { env, cwd }: { readonly env?: FinderOptions["env"]; readonly cwd: string },
): Promise<string> {
  const command = argv.join(" ");
  const deadline = AbortSignal.timeout(SECONDS * 1000);
  const { exitCode, stdout, stderr, isCut } = await runProcess(argv, {
    cwd,
    signal: deadline,
    ...(env === undefined ? {} : { env }),
  }).catch((error: unknown) => {
    const reason = deadline.aborted
      ? `no answer within ${SECONDS} seconds`
      : error instanceof Error
        ? error.message
        : String(error);
    throw new InventoryError(`Cannot run ${command}: ${reason}`, { cause: error, hint: `Is ${argv[0]} installed?` });
  });
  if (exitCode === 0 && isCut)
    throw new InventoryError(`The command ${command} printed more than ${MOST_CAPTURED / 1024 / 1024} MiB`);
  if (exitCode === 0) return Buffer.from(stdout).toString();
  const said = Buffer.from(stderr)
    .toString()
    .replace(TERMINAL_COLOURS, "")
    .trim()
    .split("\n")
    .filter(line => /\w/.test(line));
  throw new InventoryError(
    `The command ${command} failed with exit code ${exitCode}: ${said[0] ?? "no reason was given"}`,
  );
}
const TERMINAL_COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

/** A file's text; nothing if there is no such file. Throws `InventoryError`. */
export async function textOf(file: string): Promise<string | undefined> {
  try {
    return utf8(await readFile(file), file);
  } catch (error) {
    if (error instanceof LocalFileError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new InventoryError(`Cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws `InventoryError` at the place of the mistake, where the parser says it. */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InventoryError(`${where} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

export type Data = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Data =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Data with the names that pyinfra has for what connectors read: `ssh_user` is `sshUser`. */
export const renamed = (data: Data): Data =>
  Object.fromEntries(
    Object.entries(data).map(([key, value]) => [CONNECTOR_KEY.test(key) ? camelCase(key) : key, value]),
  );
const CONNECTOR_KEY = /^(?:_|ssh_|docker_|chroot_|kubectl_)[a-z_]+$/;
const camelCase = (key: string): string => key.replace(/(?<=.)_([a-z])/g, (_, letter: string) => letter.toUpperCase());
