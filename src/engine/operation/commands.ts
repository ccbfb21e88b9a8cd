/** Sending commands to a host, telling about them, and keeping what is known of the host true. @module */
import type { ConnectorArguments } from "../../core/arguments.ts";
import { Secret, Shell } from "../../core/command.ts";
import type { RunResult } from "../../core/connector.ts";
import { CommandError, CommandTimeoutError, OperationTypeError, type TsinfraError } from "../../core/errors.ts";
import type { CommandResult } from "../../core/host.ts";
import { kindOf } from "../../core/kind.ts";
import { linesOf } from "../../core/lines.ts";
import type { DeployPoint, Engine } from "../engine.ts";
import { type ResolvedArguments, splitArguments, overrideArguments } from "../host/arguments.ts";
import { asString } from "../host/fact-output.ts";
import type { Behind, Ran, Sent } from "../host/sending.ts";
import { lastReason } from "../host/streams.ts";
import type { HostState } from "../host-state.ts";
import { lineEmitter } from "./output-lines.ts";

/** Run a command for a deploy file or a callback. Throws `CommandError` when it fails. */
export async function runDirect(
  engine: Engine,
  host: HostState,
  command: Shell,
  args: ConnectorArguments,
  point: DeployPoint,
): Promise<CommandResult> {
  if (!(command instanceof Shell))
    throw new OperationTypeError(`host.run takes a command, found ${kindOf(command)}`, {
      host: host.name,
      hint: "Make a command of it: host.run(sh`…`)",
    });
  const { globals } = splitArguments("host.run", args);
  const how = overrideArguments(engine.resolve(host, point), globals);
  const { emit, signal } = engine.settings;
  if (engine.stage === "prepare") host.directCommands++;
  const text = command.toString();
  let result: CommandRan | undefined;
  try {
    const sent = await sendCommands(engine, host, [command], how, "direct", SUCCESS);
    [result] = await sent.results;
  } catch (error) {
    const message = `host.run was interrupted, state unknown: ${brief(text)}`;
    if (signal.aborted) emit({ type: "log", level: "warn", host: host.name, message });
    throw error;
  } finally {
    emit({ type: "command:end", host: host.name, command: text, for: "direct" });
  }
  if (!(how.all._successExitCodes ?? SUCCESS).includes(result!.exitCode))
    throw commandError(host.name, command, result!);
  return result!;
}

/** Exit codes that are no failure, unless `_successExitCodes` says otherwise. */
export const SUCCESS: readonly number[] = [0];

/** How a command ended that was to run. */
export interface CommandRan extends CommandResult {
  /** Why it did not begin: what sudo, su, doas or the login shell said in its place. */
  readonly refusal?: string;
  readonly started: boolean;
  readonly trouble?: TsinfraError | undefined;
}

/** Commands on their way. */
export interface SentCommands {
  /** How those ended that ran, up to the first whose exit code is no success. */
  readonly results: Promise<readonly CommandRan[]>;
  /** Sends what runs right behind them; absent where nothing can. */
  readonly behind?: Behind | undefined;
}

/** Send commands, emitting them and each line they print. They run in order, up to the first whose exit code is no success. */
export async function sendCommands(
  engine: Engine,
  host: HostState,
  commands: readonly Shell[],
  how: ResolvedArguments,
  purpose: "operation" | "direct",
  successExitCodes: readonly number[],
): Promise<SentCommands> {
  const { emit, signal } = engine.settings;
  for (const command of commands) emit({ type: "command", host: host.name, command: command.toString(), for: purpose });
  const lines = lineEmitter(engine.settings, host.name, purpose);
  const options = {
    surroundings: how.surroundings,
    signal,
    onOutput: lines.push,
    ...(how.input ? { stdin: how.input } : {}),
    ...(how.all._getPty ? { pty: true } : {}),
    ...(how.all._timeout === undefined ? {} : { timeout: how.all._timeout }),
    ...(purpose === "direct" ? { alone: true } : {}),
  };
  const { behind, results } = await sendChange(host, () => host.session.send(commands, options, successExitCodes));
  const told = results.then(ran =>
    ran.map((one): CommandRan => {
      if (one.started) return toCommandResult(one);
      // Whoever stands in its way may quote what was meant for it.
      const result = toCommandResult({ ...one, stderr: withoutInput(one.stderr, how.all._stdin) });
      const refusal = lastReason(result.stderrLines);
      return { ...result, ...(refusal === undefined ? {} : { refusal }) };
    }),
  );
  return { behind, results: settled(told.finally(lines.end)) };
}

/** Send what may change a host: until it has ended, and beyond, only what was asked behind it is known of the host. */
export async function sendChange(host: HostState, send: () => Promise<Sent>): Promise<Sent> {
  const ended = host.facts.beginChange();
  try {
    const sent = await send();
    const results = sent.results.then(
      ran => {
        ended(ran);
        return ran;
      },
      (error: unknown) => {
        ended();
        if (error instanceof CommandTimeoutError && error.mayStillRun) host.leftRunning++;
        throw error;
      },
    );
    return { ...sent, results: settled(results) };
  } catch (error) {
    ended();
    throw error;
  }
}

/** What was said, with the secret lines of an input as `***`. */
function withoutInput(said: Uint8Array, input: ConnectorArguments["_stdin"]): Uint8Array {
  const secrets = [input].flat().flatMap(one => (one instanceof Secret ? one.reveal().split("\n") : []));
  const text = secrets.reduce(
    (rest, line) => (line.trim() === "" ? rest : rest.replaceAll(line, "***")),
    asString(said),
  );
  return secrets.length === 0 ? said : Buffer.from(text);
}

/** A promise that may be looked at later: until then its rejection is nobody's. */
function settled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** `Command failed with exit code 100 on web-1: apt-get …`, or `Command did not begin on web-1: sudo: a password is required`. */
export function commandError(
  host: string,
  command: Shell,
  { exitCode, stdout, stderr, refusal, trouble }: CommandResult & Partial<Pick<CommandRan, "refusal" | "trouble">>,
): TsinfraError {
  if (trouble) return trouble;
  const written = brief(command.toString());
  return refusal === undefined
    ? new CommandError(`Command failed with exit code ${exitCode} on ${host}: ${written}`, {
        host,
        exitCode,
        stdout,
        stderr,
      })
    : new CommandError(`Command did not begin on ${host}: ${refusal}`, {
        host,
        exitCode,
        stdout,
        stderr,
        hint: `The command was: ${written}`,
      });
}

/** What a command printed, as text. */
export const toCommandResult = ({
  exitCode,
  started = true,
  trouble,
  stdout,
  stderr,
  isCut = false,
}: RunResult & Partial<Ran>): CommandRan =>
  commandResult({ exitCode, started, trouble, isCut, stdout: asString(stdout), stderr: asString(stderr) });

/** How a command ended; in lines once they are asked for. */
export const commandResult = ({
  started = true,
  isCut = false,
  ...result
}: Pick<CommandRan, "exitCode" | "stdout" | "stderr"> & Partial<CommandRan>): CommandRan => ({
  ...result,
  started,
  isCut,
  get stdoutLines() {
    return linesOf(this.stdout);
  },
  get stderrLines() {
    return linesOf(this.stderr);
  },
});

const BRIEF = 300;
/** A command as it is told in a message. */
export const brief = (text: string): string => (text.length > BRIEF ? `${text.slice(0, BRIEF)}…` : text);
