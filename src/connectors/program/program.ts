/** Connectors that are a program: it runs commands somewhere, and is itself run here or through another connection. @module */
import { sh, Shell } from "../../core/command.ts";
import type {
  Connection,
  Connector,
  ConnectorContext,
  DataKey,
  FoundHost,
  RunOptions,
  Target,
} from "../../core/connector.ts";
import { awaiting } from "../../core/awaited.ts";
import { ConfigError, ConnectError, ConnectionLostError } from "../../core/errors.ts";
import { kindOf } from "../../core/kind.ts";
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
  if (typeof open !== "function")
    throw new ConfigError(
      `The member open of the connector "@${program.name}" must be a function, found ${kindOf(open)}`,
    );
  const keys = { ...dataKeys, [sudoKey]: sudo } as Readonly<Record<K | typeof sudoKey, DataKey>>;
  const connector: Connector = {
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
      const place = checkedPlace(await open(target, { data, control, context }), program.name, target.name);
      const connection = new PlaceConnection({
        host: target.name,
        outer,
        wrap: (words, how) => checkedLine(place.wrap(words, how), program.name, target.name),
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
            const name = `close() of the connector "@${program.name}" on ${target.name}`;
            await awaiting(name, ConnectError, async () => place.close?.(control.steady));
          })().catch(error =>
            context.warn(`${target.name} was not left in order: ${error instanceof Error ? error.message : error}`),
          )),
      };
    },
  };
  programs.add(connector);
  return connector;
}

const programs = new WeakSet<Connector>();
/** Its connections are ours, and what it runs has limits of its own. */
export const isProgram = (connector: Connector): boolean => programs.has(connector);

function checkedPlace(place: ProgramPlace, connector: string, host: string): ProgramPlace {
  const given: unknown = place;
  const hint =
    "It must give { wrap }, where wrap(words) puts the program's command line around words: sh`prog ${words}`";
  const wrong = (what: string): ConnectError =>
    new ConnectError(`${host} cannot be connected to: open() of the connector "@${connector}" gave ${what}`, {
      host,
      hint,
    });
  if (typeof given !== "object" || given === null) throw wrong(kindOf(given));
  const { wrap, lost, close } = given as { readonly [K in keyof ProgramPlace]?: unknown };
  if (wrap === undefined) throw wrong("an object without wrap()");
  for (const [member, value] of Object.entries({ wrap, lost, close }))
    if (value !== undefined && typeof value !== "function")
      throw wrong(`an object whose "${member}" is ${kindOf(value)}`);
  return place;
}

function checkedLine(line: Shell, connector: string, host: string): Shell {
  const given: unknown = line;
  if (given instanceof Shell) return line;
  throw new ConnectError(`wrap() of the connector "@${connector}" gave ${kindOf(given)} for ${host}`, {
    host,
    hint: "It must give a command that sh`…` makes, at once and not as a promise",
  });
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
