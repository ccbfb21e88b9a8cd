/** Connectors that are a program: it runs commands somewhere, and is itself run here or through another connection. @module */
import { quoted, sh, type Shell } from "../../core/command.ts";
import type { Connection, Connector, ConnectorContext, DataKey, FoundHost, RunOptions, Target } from "../../core/connector.ts";
import { ConnectError } from "../../core/errors.ts";
import { runProcess } from "../shared/process.ts";

/** A program that runs commands in one place. */
export interface Place {
  /** The program's own command line around the line it is to run there. */
  wrap(line: Shell, options: { readonly pty: boolean }): Shell;
  /** When the run is over. */
  close?(): Promise<void>;
}

/** What a program connector is made of. */
export interface ProgramConnector {
  readonly name: string;
  readonly summary: string;
  readonly dataKeys: Readonly<Record<string, DataKey>>;
  /** False where the program cannot give a terminal. */
  readonly pty?: boolean;
  hosts?(address: string, context: ConnectorContext): Promise<readonly FoundHost[]>;
  /** Find or make the place. Commands of its own are run with `control`. */
  open(target: Target, control: Control, context: ConnectorContext): Promise<Place>;
}

/** Runs the program's own commands, where the program is. */
export interface Control {
  /** The command's stdout. Throws `ConnectError`, beginning with `what`, when it fails. */
  ask(what: string, command: Shell): Promise<string>;
  /** The command's stdout, or nothing when it fails. */
  tryTo(command: Shell): Promise<string | undefined>;
}

/** Make a connector of a program. */
export function programConnector({ open, pty = true, ...program }: ProgramConnector): Connector {
  return {
    ...program,
    can: { pty, rsync: false },
    async connect(target, context) {
      const outer = target.through ?? LOCAL;
      const place = await open(target, controlOf(target, outer), context);
      return {
        run: (command, options = {}) => outer.run(place.wrap(sh`sh -c ${quoted(command)}`, { pty: options.pty ?? false }), options),
        async close() {
          await place.close?.();
          await target.through?.close();
        },
      };
    },
  };
}

/** The control machine: a program runs there unless its connection goes through another one. */
const LOCAL: Connection = {
  run: (command: Shell, options: RunOptions = {}) => runProcess(["/bin/sh", "-c", command.wire()], options),
  async close() {},
};

function controlOf({ name, timeout, signal }: Target, outer: Connection): Control {
  const run = async (command: Shell): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
    const result = await outer.run(command, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeout * 1000 + CONTROL_GRACE_MS)]) });
    return { exitCode: result.exitCode, stdout: text(result.stdout), stderr: text(result.stderr) };
  };
  return {
    async ask(what, command) {
      const { exitCode, stdout, stderr } = await run(command).catch((error: unknown) => {
        signal.throwIfAborted();
        throw new ConnectError(`${what}: ${error instanceof Error ? error.message : error}`, { host: name, cause: error });
      });
      if (exitCode === 0) return stdout.trim();
      throw new ConnectError(`${what}: ${stderr.trim().split("\n").at(-1) || `exit code ${exitCode}`}`, {
        host: name,
        hint: exitCode === 127 ? `Is the program installed? The command was: ${command}` : `The command was: ${command}`,
      });
    },
    async tryTo(command) {
      const { exitCode, stdout } = await run(command);
      return exitCode === 0 ? stdout.trim() : undefined;
    },
  };
}
/** Starting a container may take longer than a connection; it is still not waited for without end. */
const CONTROL_GRACE_MS = 110_000;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
