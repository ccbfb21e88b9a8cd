/** Shells on one host that commands share. @module */
import { sh, type Shell } from "../../core/command.ts";
import type { Connection, OutputStream } from "../../core/connector.ts";
import { ConnectionLostError } from "../../core/errors.ts";
import { leavesSomethingRunning } from "./background.ts";
import type { endOnHost, HowEnded } from "./end-on-host.ts";
import { escalate, inSurroundings, isEscalated, type Surroundings } from "./escalation.ts";
import { reachesShell } from "./framed-script.ts";
import type { FramedResult } from "./framed-command.ts";
import { FramedShell, ShellEnded } from "./framed-shell.ts";
import {
  type Behind,
  type BehindOptions,
  type CommandOptions,
  endedBefore,
  type Ran,
  type Sent,
  type SentBehind,
  type Slot,
} from "./sending.ts";
import { preambleBytes } from "./streams.ts";

/** What the shells of a host need from its session. */
export interface SharedShellSettings {
  readonly host: string;
  readonly connection: () => Promise<Connection>;
  readonly kill: typeof endOnHost;
  /** One could not be ended, and what runs in it may go on. */
  readonly onLeft: () => void;
  /** A shell ended by itself. */
  readonly onEnded: () => void;
  /** That connection is gone. */
  readonly onLost: (connection: Connection) => void;
}

/** One host's shells that take one command after the other, by who they run as. */
export class SharedShells {
  readonly #settings: SharedShellSettings;
  readonly #shells = new Map<string, OpenShell>();
  /** Keys of those that do not begin with an input that stays open. */
  readonly #unusable = new Set<string>();

  constructor(settings: SharedShellSettings) {
    this.#settings = settings;
  }

  /** Whether one can be had for them, as far as is known. */
  isUsable(surroundings: Surroundings): boolean {
    return !this.#unusable.has(shellKey(surroundings));
  }

  /** Begin one, without waiting for it. */
  async open(surroundings: Surroundings): Promise<void> {
    this.#shell(await this.#settings.connection(), surroundings);
  }

  /** End them once what is in flight has ended. */
  end(): void {
    for (const { shell } of this.#shells.values()) shell.close();
    this.#shells.clear();
  }

  /** They are gone already. */
  forget(): void {
    this.#shells.clear();
  }

  /** Send commands to a shell that stays. Fewer results than commands if one failed, or the shell ended. */
  async send(commands: readonly Shell[], options: CommandOptions, successExitCodes: readonly number[]): Promise<Sent> {
    const { surroundings, signal } = options;
    const connection = await this.#settings.connection();
    signal.throwIfAborted();
    const open = this.#shell(connection, surroundings);
    const { shell } = open;
    const scripts = commands.map(command => inSurroundings(command, surroundings));
    // Another directory or variables would stay.
    const isPlain = surroundings.chdir === undefined && Object.keys(surroundings.env).length === 0;
    const handlers = commands.map((_, index) => ({
      ...(options.keep === undefined ? {} : { keep: options.keep }),
      inPlace: isPlain && (options.isOurs ?? false),
      ...(options.onOutput
        ? { onOutput: (stream: OutputStream, chunk: Uint8Array) => options.onOutput!(stream, chunk, index) }
        : {}),
      ...(index === 0 && options.onTurn ? { onTurn: options.onTurn } : {}),
    }));
    if (scripts.length === 1 && options.isOurs) {
      const running = [shell.run(scripts[0]!, handlers[0]!)];
      const slot = { shell, index: shell.sent };
      return { slot, results: this.#results(open, { commands, running, last: slot.index }, options) };
    }
    const group = shell.beginGroup();
    const running = shell.runGroup(scripts, handlers, { group, successExitCodes });
    const slot = { shell, index: shell.sent };
    const behind: Behind | undefined =
      shell.pid === undefined
        ? undefined
        : { send: (more, how) => this.#sendBehind({ open, group, surroundings }, more, how) };
    return { slot, behind, results: this.#results(open, { commands, running, last: slot.index }, options) };
  }

  #sendBehind(
    { open, group, surroundings: own }: Sending,
    commands: readonly Shell[],
    { surroundings, successExitCodes, only, onOutput }: BehindOptions,
  ): SentBehind | undefined {
    const { shell } = open;
    if (!shell.isOpen) return undefined;
    const turn = Promise.withResolvers<boolean>();
    const handler = { onOutput, onBegin: () => turn.resolve(true) };
    const scripts = commands.map(command => inSurroundings(command, surroundings));
    const running = shell.runGroup(
      scripts,
      scripts.map((_, index) => (index === 0 ? handler : { onOutput })),
      { group, only, successExitCodes },
    );
    const last = shell.sent;
    running[0]?.then(
      result => turn.resolve(result.how === "ran"),
      error => turn.resolve(!(error instanceof ShellEnded)),
    );
    for (const run of running) run.catch(() => undefined);
    return {
      turn: turn.promise,
      results: signal => this.#results(open, { commands, running, last }, { surroundings: own, signal }),
    };
  }

  /** Wait for what runs in a shell; results of those that ran. An abort ends the shell. */
  async #results(
    open: OpenShell,
    { commands, running, last }: Running,
    { surroundings, signal }: Pick<CommandOptions, "surroundings" | "signal">,
  ): Promise<readonly Ran[]> {
    const { connection, shell } = open;
    const aborted = Promise.withResolvers<never>();
    let killed: Promise<void> | undefined;
    const onAbort = (): void => {
      aborted.reject(signal.reason);
      // What others have in flight there is theirs to run again; what neither ends nor begins is given up.
      killed = this.#ended(open, surroundings);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    for (const run of running) run.catch(() => undefined);
    const ran: Ran[] = [];
    try {
      for (const run of running) {
        const { how, ...result } = await Promise.race([run, aborted.promise]);
        if (how === "skipped") break;
        const slot: Slot = { shell, index: last - running.length + ran.length + 1 };
        ran.push({ ...result, started: how === "ran", slot });
      }
    } catch (error) {
      // Before that the connection must not be closed, and nothing else sent to the host: what was sent to a shell that was given up may still run.
      await (killed ?? (isGivenUp(error) ? this.#killed(open, surroundings) : undefined));
      const key = shellKey(surroundings);
      if (this.#shells.get(key) === open) this.#shells.delete(key);
      if (error instanceof ConnectionLostError) this.#settings.onLost(connection);
      else this.#settings.onEnded();
      endedBefore(commands, ran);
      if (!(error instanceof ShellEnded)) throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      aborted.promise.catch(() => undefined);
      if (shell.hasGivenUp) this.#unusable.add(shellKey(surroundings));
    }
    return ran;
  }

  /** Kill a shell, and give it up. */
  async #ended(open: OpenShell, surroundings: Surroundings): Promise<void> {
    const how = await this.#killed(open, surroundings);
    const { connection, shell } = open;
    shell.abandon(new ShellEnded());
    const { kill, onLeft } = this.#settings;
    // Where there was no room for it beside the shell, perhaps there is now.
    const isLeft =
      how === undefined
        ? shell.mayBegin
        : how === "left" ||
          (how === "unknown" && (await kill(connection, shell.pid!, surroundings, false)) !== "ended");
    if (isLeft) onLeft();
  }

  /** Once for each shell, however many wait for it. */
  #killed(open: OpenShell, surroundings: Surroundings): Promise<HowEnded> | undefined {
    const { connection, shell } = open;
    if (shell.pid !== undefined) open.killing ??= this.#settings.kill(connection, shell.pid, surroundings, true);
    return open.killing;
  }

  #shell(connection: Connection, surroundings: Surroundings): OpenShell {
    const key = shellKey(surroundings);
    const known = this.#shells.get(key);
    if (known?.shell.isOpen && known.connection === connection) return known;
    const program = surroundings.shell as string;
    const shell = new FramedShell(this.#settings.host, connection, program, nonce => {
      const bare = { ...surroundings, chdir: undefined, env: {} };
      const { line, preamble, passwords } = escalate(sh`exec ${program}`, bare, nonce);
      return {
        line,
        passwords: preambleBytes(preamble.slice(0, passwords)),
        preamble: preambleBytes(preamble.slice(passwords)),
        waits: isEscalated(surroundings),
      };
    });
    const open: OpenShell = { connection, shell };
    this.#shells.set(key, open);
    return open;
  }
}

/** The shell was given up, and may still be there. */
const isGivenUp = (error: unknown): boolean =>
  !(error instanceof ShellEnded) && !(error instanceof ConnectionLostError);

interface OpenShell {
  readonly connection: Connection;
  readonly shell: FramedShell;
  /** It is being killed on the host. */
  killing?: Promise<HowEnded>;
}
/** Commands in a shell, and how many it had been sent with the last of them. */
interface Running {
  readonly commands: readonly Shell[];
  readonly running: readonly Promise<FramedResult>[];
  readonly last: number;
}
interface Sending {
  readonly open: OpenShell;
  readonly group: string;
  readonly surroundings: Surroundings;
}

/** What a shell that stays can run: nothing with its own input, terminal, deadline or login, nothing that is left running behind or gets at the shell itself. */
export function canShareShell(
  commands: readonly Shell[],
  { surroundings, stdin, pty, timeout, alone, isOurs }: Omit<CommandOptions, "signal">,
): boolean {
  if (alone || stdin || pty || timeout !== undefined || surroundings.shell === false) return false;
  // Each has a login of its own: what its profile, its groups and its home are by then.
  if (surroundings.sudo?.login || surroundings.su?.login) return false;
  return (
    FRAMING_SHELLS.test(surroundings.shell) &&
    !commands.some(command => leavesSomethingRunning(command) || reachesShell(command, isOurs))
  );
}
const FRAMING_SHELLS = /(?:^|\/)(?:sh|dash|bash|ash|ksh)$/;

/** Shells are shared by everything that runs as the same user: equal for equal users. */
export function shellKey(surroundings: Surroundings): string {
  return isEscalated(surroundings)
    ? JSON.stringify({ ...surroundings, chdir: undefined, env: undefined })
    : String(surroundings.shell);
}
