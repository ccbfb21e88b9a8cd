/** Shells on one host that commands share. @module */
import { sh, type Shell } from "../core/command.ts";
import type { Connection, OutputStream, RunResult } from "../core/connector.ts";
import { ConnectionLostError } from "../core/errors.ts";
import { escalate, inSurroundings, isEscalated, type Surroundings } from "./escalate.ts";
import { type FramedResult, FramedShell, ShellEnded } from "./framed-shell.ts";
import type { SessionRunOptions } from "./session.ts";
import { preambleBytes } from "./streams.ts";

/** How one command ended, unless it never began. */
export interface Attempt extends RunResult {
  readonly started: boolean;
}

/** Sends commands behind others that have not ended. */
export interface Behind {
  /** They run if all sent before them succeeded, and the test `only` succeeds. `undefined`: the shell has ended. */
  send(
    commands: readonly Shell[],
    options: {
      readonly surroundings: Surroundings;
      readonly successExitCodes: readonly number[];
      readonly only?: Shell | undefined;
      readonly onOutput: (stream: OutputStream, chunk: Uint8Array) => void;
    },
  ): SentBehind | undefined;
}

/** Commands that were sent behind others. */
export interface SentBehind {
  /** How those ended that ran; none if they were not to run. Rejects when the connection is lost, or the signal is aborted. */
  results(signal: AbortSignal): Promise<readonly RunResult[]>;
  /** Their turn has come: true if they run, false if they are skipped. Never rejects. */
  readonly turn: Promise<boolean>;
}

/** What the shells of a host need from its session. */
export interface SharedShellSettings {
  readonly connection: () => Promise<Connection>;
  readonly kill: (pid: number, surroundings: Surroundings) => Promise<void>;
  /** A shell ended by itself. */
  readonly onEnded: () => void;
  /** The connection is gone. */
  readonly onLost: () => void;
}

/** One host's shells that take one command after the other, by who they run as. */
export class SharedShells {
  readonly #settings: SharedShellSettings;
  readonly #shells = new Map<string, FramedShell>();

  constructor(settings: SharedShellSettings) {
    this.#settings = settings;
  }

  /** Begin one, without waiting for it. */
  async open(surroundings: Surroundings): Promise<void> {
    this.#shell(await this.#settings.connection(), surroundings);
  }

  /** End them once what is in flight has ended. */
  end(): void {
    for (const shell of this.#shells.values()) shell.close();
    this.#shells.clear();
  }

  /** They are gone already. */
  forget(): void {
    this.#shells.clear();
  }

  /** Run commands in a shell that stays; fewer attempts than commands if one failed, or the shell ended. */
  async run(
    commands: readonly Shell[],
    options: SessionRunOptions,
    successExitCodes: readonly number[],
  ): Promise<readonly Attempt[]> {
    const { surroundings, signal } = options;
    const connection = await this.#settings.connection();
    signal.throwIfAborted();
    const shell = this.#shell(connection, surroundings);
    const scripts = commands.map(command => inSurroundings(command, surroundings));
    // Another directory or variables would stay.
    const isPlain = surroundings.chdir === undefined && Object.keys(surroundings.env).length === 0;
    const handlers = commands.map((_, index) => ({
      capture: options.capture ?? true,
      inPlace: isPlain && (options.isOurs ?? false),
      ...(options.onOutput
        ? { onOutput: (stream: OutputStream, chunk: Uint8Array) => options.onOutput!(stream, chunk, index) }
        : {}),
    }));
    const { onSent } = options;
    if (scripts.length === 1 && !onSent) return this.#results(shell, [shell.run(scripts[0]!, handlers[0]!)], options);
    const group = shell.beginGroup();
    const running = this.#results(shell, shell.runGroup(scripts, handlers, { group, successExitCodes }), options);
    if (shell.pid !== undefined)
      onSent?.({ send: (more, how) => this.#sendBehind({ shell, group, surroundings }, more, how) });
    return running;
  }

  #sendBehind(
    { shell, group, surroundings: own }: Sending,
    commands: readonly Shell[],
    { surroundings, successExitCodes, only, onOutput }: Parameters<Behind["send"]>[1],
  ): SentBehind | undefined {
    if (!shell.isOpen) return undefined;
    const turn = Promise.withResolvers<boolean>();
    const handler = {
      onOutput: (stream: OutputStream, chunk: Uint8Array): void => {
        turn.resolve(true);
        onOutput(stream, chunk);
      },
    };
    const scripts = commands.map(command => inSurroundings(command, surroundings));
    const running = shell.runGroup(
      scripts,
      scripts.map(() => handler),
      { group, only, successExitCodes },
    );
    running[0]?.then(
      result => turn.resolve(result.how === "ran"),
      error => turn.resolve(!(error instanceof ShellEnded)),
    );
    for (const run of running) run.catch(() => undefined);
    return { turn: turn.promise, results: signal => this.#results(shell, running, { surroundings: own, signal }) };
  }

  /** Wait for what runs in a shell; results of those that ran. An abort ends the shell. */
  async #results(
    shell: FramedShell,
    running: readonly Promise<FramedResult>[],
    { surroundings, signal }: Pick<SessionRunOptions, "surroundings" | "signal">,
  ): Promise<readonly Attempt[]> {
    const aborted = Promise.withResolvers<never>();
    let killed: Promise<void> | undefined;
    const onAbort = (): void => {
      aborted.reject(signal.reason);
      if (shell.pid !== undefined) killed = this.#settings.kill(shell.pid, surroundings);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    for (const run of running) run.catch(() => undefined);
    const attempts: Attempt[] = [];
    try {
      for (const run of running) {
        const result = await Promise.race([run, aborted.promise]);
        if (result.how === "skipped") break;
        attempts.push({ ...result, started: result.how === "ran" });
      }
    } catch (error) {
      // Before that the connection must not be closed.
      await killed;
      this.#shells.delete(shellKey(surroundings));
      if (error instanceof ShellEnded) this.#settings.onEnded();
      else if (error instanceof ConnectionLostError) this.#settings.onLost();
      if (!(error instanceof ShellEnded)) throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      aborted.promise.catch(() => undefined);
    }
    return attempts;
  }

  #shell(connection: Connection, surroundings: Surroundings): FramedShell {
    const key = shellKey(surroundings);
    const known = this.#shells.get(key);
    if (known?.isOpen) return known;
    const shell = new FramedShell(connection, nonce => {
      const bare = { ...surroundings, chdir: undefined, env: {} };
      const { line, preamble, passwords } = escalate(sh`exec ${surroundings.shell as string}`, bare, nonce);
      return {
        line,
        passwords: preambleBytes(preamble.slice(0, passwords)),
        preamble: preambleBytes(preamble.slice(passwords)),
      };
    });
    this.#shells.set(key, shell);
    return shell;
  }
}

interface Sending {
  readonly shell: FramedShell;
  readonly group: string;
  readonly surroundings: Surroundings;
}

/** What a shell that stays can run: nothing with its own input, terminal or deadline, nothing that is left running behind. */
export function canShareShell(
  commands: readonly Shell[],
  { surroundings, stdin, pty, timeout, alone }: Omit<SessionRunOptions, "signal">,
): boolean {
  if (alone || stdin || pty || timeout !== undefined || surroundings.shell === false) return false;
  return FRAMING_SHELLS.test(surroundings.shell) && !commands.some(command => IN_BACKGROUND.test(command.wire()));
}
const FRAMING_SHELLS = /(?:^|\/)(?:sh|dash|bash|ash|ksh)$/;
const IN_BACKGROUND = /(?:^|[^&>])&(?![&>\d])/;

/** Shells are shared by everything that runs as the same user. */
function shellKey(surroundings: Surroundings): string {
  return isEscalated(surroundings)
    ? JSON.stringify({ ...surroundings, chdir: undefined, env: undefined })
    : String(surroundings.shell);
}
