/** Running a command on a host at once, and telling about it. @module */
import type { ConnectorArguments } from "../core/arguments.ts";
import type { Shell } from "../core/command.ts";
import type { OutputStream } from "../core/connector.ts";
import { CommandError } from "../core/errors.ts";
import type { CommandResult } from "../core/host.ts";
import type { Engine, Place } from "./engine.ts";
import type { HostState } from "./host-state.ts";
import { type ResolvedArguments, splitArguments, withArguments } from "./resolve.ts";
import type { Emit } from "./events.ts";
import type { Behind } from "./shared-shells.ts";

/** Run a command for a deploy file or a callback. Throws `CommandError` when it fails. */
export async function runDirect(
  engine: Engine,
  host: HostState,
  command: Shell,
  args: ConnectorArguments,
  place: Place,
): Promise<CommandResult> {
  const { globals } = splitArguments("host.run", args);
  const how = withArguments(engine.resolve(host, place), globals);
  const result = await runCommand(engine, host, command, how, "direct");
  if (!(how.all._successExitCodes ?? [0]).includes(result.exitCode)) throw commandError(host.name, command, result);
  return result;
}

/** Run a command, emitting it and each line it prints. */
export async function runCommand(
  engine: Engine,
  host: HostState,
  command: Shell,
  how: ResolvedArguments,
  purpose: "operation" | "direct",
): Promise<CommandResult> {
  const [result] = await runCommands(engine, host, [command], how, purpose, SUCCESS);
  return result!;
}
const SUCCESS: readonly number[] = [0];

/** Run commands in order, up to the first whose exit code is no success. What was known of the host is forgotten. */
export async function runCommands(
  engine: Engine,
  host: HostState,
  commands: readonly Shell[],
  how: ResolvedArguments,
  purpose: "operation" | "direct",
  successExitCodes: readonly number[],
  onSent?: (behind: Behind) => void,
): Promise<readonly CommandResult[]> {
  const { emit, signal } = engine.settings;
  for (const command of commands) emit({ type: "command", host: host.name, command: command.toString(), for: purpose });
  const lines = lineEmitter(emit, host.name, purpose);
  const forgetting = forgetOnce(host);
  try {
    const results = await host.session.runAll(
      commands,
      {
        surroundings: how.surroundings,
        signal,
        onOutput: lines.push,
        onSent: behind => {
          forgetting.onSent();
          onSent?.(behind);
        },
        ...(how.input ? { stdin: how.input } : {}),
        ...(how.all._getPty ? { pty: true } : {}),
        ...(how.all._timeout === undefined ? {} : { timeout: how.all._timeout }),
        ...(purpose === "direct" ? { alone: true } : {}),
      },
      successExitCodes,
    );
    return results.map(toCommandResult);
  } finally {
    lines.end();
    forgetting.onEnd();
  }
}

/** Forget what is known of a host: when a command is sent, if what is asked then is asked behind it, else when it ends. */
export function forgetOnce(host: HostState): { onSent(): void; onEnd(): void } {
  let behind = false;
  return {
    onSent: () => {
      behind = true;
      host.facts.forget();
    },
    onEnd: () => {
      if (!behind) host.facts.forget();
    },
  };
}

/** `Command failed with exit code 100 on web-1: apt-get …`. */
export function commandError(host: string, command: Shell, result: CommandResult): CommandError {
  const { exitCode, stdout, stderr } = result;
  return new CommandError(`Command failed with exit code ${exitCode} on ${host}: ${brief(command.toString())}`, {
    host,
    exitCode,
    stdout,
    stderr,
  });
}

export function toCommandResult({
  exitCode,
  stdout,
  stderr,
}: {
  exitCode: number;
  stdout: Uint8Array;
  stderr: Uint8Array;
}): CommandResult {
  const out = Buffer.from(stdout).toString();
  const err = Buffer.from(stderr).toString();
  return { exitCode, stdout: out, stderr: err, stdoutLines: toLines(out), stderrLines: toLines(err) };
}

const toLines = (text: string): readonly string[] => (text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/));

/** Cuts chunks into lines, each stream on its own. */
export function lineEmitter(
  emit: Emit,
  host: string,
  purpose: "operation" | "direct",
): { push(stream: OutputStream, chunk: Uint8Array): void; end(): void } {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const rest = { stdout: "", stderr: "" };
  const line = (stream: OutputStream, text: string): void =>
    emit({ type: "output", host, stream, line: text.replace(/\r$/, ""), for: purpose });
  return {
    push: (stream, chunk) => {
      const lines = (rest[stream] + decoders[stream].decode(chunk, { stream: true })).split("\n");
      rest[stream] = lines.pop() ?? "";
      for (const text of lines) line(stream, text);
    },
    end: () => {
      for (const stream of ["stdout", "stderr"] as const) if (rest[stream] !== "") line(stream, rest[stream]);
    },
  };
}

const BRIEF = 300;
const brief = (text: string): string => (text.length > BRIEF ? `${text.slice(0, BRIEF)}…` : text);
