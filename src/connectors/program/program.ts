/** Connectors that are a program: it runs commands somewhere, and is itself run here or through another connection. @module */
import { sh, type Shell } from "../../core/command.ts";
import type {
  Connection,
  Connector,
  ConnectorContext,
  DataKey,
  FoundHost,
  RunOptions,
  Target,
} from "../../core/connector.ts";
import { ConnectError, ConnectionLostError } from "../../core/errors.ts";
import { type DataReader, readData } from "../shared/host-data.ts";
import { needOpenFiles } from "../shared/open-files.ts";
import { runProcess } from "../shared/process.ts";
import { rsyncOver } from "../shared/rsync.ts";
import { PlaceConnection, type Reach } from "./connection.ts";

/** A program that runs commands in one place. */
export interface ProgramPlace {
  readonly wrap: Reach["wrap"];
  readonly endsCommands?: boolean;
  /** When the connection is lost; it may be closed all the same. */
  lost?(): void;
  /** When the connection is closed; `control` works even if the run was interrupted. */
  close?(control: ProgramControl): Promise<void>;
}

/** What a program connector is made of. */
export interface ProgramConnector<K extends string> {
  readonly name: string;
  readonly summary: string;
  readonly dataKeys: Readonly<Record<K, DataKey>>;
  hosts?(address: string, context: ConnectorContext): Promise<readonly FoundHost[]>;
  /** Find or make the place. Commands of its own are run with `control`. */
  open(
    target: Target,
    tools: { readonly data: DataReader<K>; readonly control: ProgramControl; readonly context: ConnectorContext },
  ): Promise<ProgramPlace>;
  /** At the end of the run. */
  close?(): Promise<void>;
}

/** Surroundings of programs that run on the control machine. */
export interface ProgramOptions {
  /** The whole environment; default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Each host keeps a program running: three pipes, and the process itself. */
const FILES_FOR_PROGRAM = 4;

/** Runs the program's own commands, where the program is. */
export interface ProgramControl {
  /** The command's stdout. Throws `ConnectError`, beginning with `what`, when it fails; `seconds` is how long it may take. */
  ask(what: string, command: Shell, options?: { readonly seconds?: number }): Promise<string>;
  /** The command's stdout, or nothing when it fails. */
  tryTo(command: Shell): Promise<string | undefined>;
  /** The same, but not ended by an interrupt. */
  readonly steady: ProgramControl;
}

/** Make a connector of a program. Each has a data key of its own to run the program with sudo. */
export function programConnector<K extends string>(
  { open, dataKeys, ...program }: ProgramConnector<K>,
  options: ProgramOptions = {},
): Connector {
  const sudoKey = `${program.name}Sudo`;
  const sudo: DataKey = {
    type: "boolean",
    default: false,
    description: "Run the program with sudo, which must not ask for a password.",
  };
  const keys = { ...dataKeys, [sudoKey]: sudo } as Readonly<Record<K | typeof sudoKey, DataKey>>;
  return {
    ...program,
    dataKeys: keys,
    can: { pty: true, rsync: true, through: true },
    expect: hosts => needOpenFiles(hosts, FILES_FOR_PROGRAM),
    async connect(target, context) {
      target.signal.throwIfAborted();
      if (target.address.startsWith("-"))
        throw new ConnectError(`"${target.address}" would be an option of ${program.name}`, { host: target.name });
      const data = readData(target.data, { keys, host: target.name });
      const outer = withSudo(target.through ?? localConnection(options), data.boolean(sudoKey) ?? false);
      const control = createControl(outer, target);
      const place = await open(target, { data, control, context });
      const connection = new PlaceConnection({
        host: target.name,
        outer,
        wrap: place.wrap,
        endsCommands: place.endsCommands ?? false,
        onLost: () => place.lost?.(),
      });
      let closing: Promise<void> | undefined;
      return {
        run: (command, runOptions) => connection.run(command, runOptions),
        rsync: (src, dest, flags, runOptions) =>
          rsyncOver((command, more) => connection.run(command, more), { src, dest, flags }, runOptions),
        close: () =>
          (closing ??= (async () => {
            await connection.close();
            await place.close?.(control.steady);
          })().catch(error =>
            context.warn(`${target.name} was not left in order: ${error instanceof Error ? error.message : error}`),
          )),
      };
    },
  };
}

/** What is needed of where the program is. */
type Outer = Reach["outer"];

/** The control machine: a program runs there unless its connection goes through another one. */
export const localConnection = ({ env }: ProgramOptions): Connection => ({
  run: (command: Shell, options: RunOptions = {}) =>
    runProcess(["/bin/sh", "-c", command.wire()], { ...options, ...(env === undefined ? {} : { env }) }),
  async close() {},
});

const withSudo = (outer: Outer, isWanted: boolean): Outer =>
  isWanted ? { run: (command, options) => outer.run(sh`sudo -n ${command}`, options) } : outer;

function createControl(
  outer: Outer,
  { name, timeout, signal }: Pick<Target, "name" | "timeout" | "signal">,
): ProgramControl {
  const run = async (
    command: Shell,
    seconds = timeout + LONGER,
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
    const deadline = AbortSignal.timeout(seconds * 1000);
    try {
      const result = await outer.run(command, { signal: AbortSignal.any([signal, deadline]) });
      return { exitCode: result.exitCode, stdout: text(result.stdout), stderr: text(result.stderr) };
    } catch (error) {
      signal.throwIfAborted();
      if (!deadline.aborted) throw error;
      throw new ConnectError(`No answer within ${seconds} seconds from: ${command}`, { host: name, retryable: true });
    }
  };
  return {
    async ask(what, command, { seconds } = {}) {
      const { exitCode, stdout, stderr } = await run(command, seconds).catch((error: unknown) => {
        signal.throwIfAborted();
        if (error instanceof ConnectionLostError) throw error;
        throw new ConnectError(`${what}: ${error instanceof Error ? error.message : error}`, {
          host: name,
          cause: error,
        });
      });
      if (exitCode === 0) return stdout.trim();
      throw new ConnectError(`${what}: ${complaint(stderr) || `exit code ${exitCode}`}`, {
        host: name,
        hint:
          exitCode === 127 ? `Is the program installed? The command was: ${command}` : `The command was: ${command}`,
      });
    },
    async tryTo(command) {
      const { exitCode, stdout } = await run(command);
      return exitCode === 0 ? stdout.trim() : undefined;
    },
    get steady() {
      return createControl(outer, { name, timeout, signal: new AbortController().signal });
    },
  };
}
/** Seconds: starting a container may take longer than a connection; it is still not waited for without end. */
const LONGER = 110;

/** The last line that says something. */
const complaint = (stderr: string): string =>
  stderr
    .trim()
    .split("\n")
    .filter(line => line.trim() !== "" && !/^Run '.*--help'|^See '.*--help'/.test(line))
    .at(-1) ?? "";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
