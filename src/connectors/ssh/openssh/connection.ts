/** Commands over a connection that the machine's own ssh holds: an ssh process for each. @module */
import { sh, type Shell } from "../../../core/command.ts";
import type { Connection, Input, RunOptions, RunResult } from "../../../core/connector.ts";
import { ConnectionLostError } from "../../../core/errors.ts";
import { PlaceConnection } from "../../program/connection.ts";
import { Holders } from "../../shared/holders.ts";
import { endOfInput, pieces } from "../../shared/input.ts";
import { runProcess } from "../../shared/process.ts";
import { rsyncOver } from "../../shared/rsync.ts";
import { backOff, pause } from "../../shared/wait.ts";
import { inOwnGroup, inPosixShell, startsGroups } from "../login-shell.ts";
import type { Master } from "./master.ts";

export interface OpenSshOptions {
  readonly host: string;
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly master: Master;
  /** Options and name of the host, for a connection of its own. */
  readonly destination: readonly string[];
}

/** Closes the connection with its first session: each command is given one of its own. */
const GIVES_ONE_SESSION = /^tinyssh/i;

/** How often a session is asked for that the server does not give; commands of ours that hold one end sooner or later. */
const REFUSALS = 40;

/** One server that a `Master` is logged in to. */
export class OpenSshConnection implements Connection {
  readonly #options: OpenSshOptions;
  readonly #place: PlaceConnection;
  readonly #holders = new Holders();
  #closing: Promise<void> | undefined;

  constructor(options: OpenSshOptions) {
    this.#options = options;
    this.#place = new PlaceConnection({
      host: options.host,
      outer: { run: (command, runOptions) => this.#session(command, runOptions) },
      wrap: words => sh`exec ${words}`,
      endsCommands: false,
      way: "The login shell",
      onLost: () => {},
    });
  }

  async run(command: Shell, options: RunOptions = {}): Promise<RunResult> {
    if (this.#closing) throw this.#lost();
    using _ = this.#holders.hold(options.onWanted);
    return await this.#place.run(command, options);
  }

  async rsync(src: string, dest: string, flags: readonly string[], options?: RunOptions): Promise<RunResult> {
    return await rsyncOver((command, runOptions) => this.run(command, runOptions), { src, dest, flags }, options);
  }

  isLost(): boolean {
    return this.#options.master.isGone();
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#options.master.close();
      await this.#place.close();
    })();
    return this.#closing;
  }

  /** One session. Waits while the server has none to give. */
  async #session(command: Shell, options: RunOptions = {}): Promise<RunResult> {
    for (let refusals = 1; ; refusals++) {
      let said = "";
      const begun = Promise.withResolvers<boolean>();
      const running = runProcess(this.#argv(command, options.pty ?? false), {
        ...options,
        pty: false,
        env: this.#options.env,
        // What a refused session was sent would be lost.
        ...(options.stdin === undefined ? {} : { stdin: later(options.stdin, begun.promise, options.pty ?? false) }),
        onOutput: (stream, chunk) => {
          // Every command says on stdout that it has begun.
          if (stream === "stdout") begun.resolve(true);
          else if (said.length < SAID) said += Buffer.from(chunk).toString("latin1");
          return options.onOutput?.(stream, chunk);
        },
      });
      void running.catch(() => {}).finally(() => begun.resolve(false));
      const result = await running;
      if (result.exitCode !== 255) return result;
      if (CUT.test(said)) throw this.#lost(said.trim().split("\n").at(-1));
      if (!REFUSED.test(said)) return result;
      if (refusals >= REFUSALS) throw this.#lost("the server gives no session");
      this.#holders.ask();
      await pause(backOff(refusals, { first: 50, most: 1000 }), options.signal);
    }
  }

  #argv(command: Shell, pty: boolean): string[] {
    const { program, master, destination } = this.#options;
    // The terminal has the modes of this side's, which is none.
    const line = pty
      ? `stty sane 2>/dev/null; ${command.wire()}`
      : startsGroups(master.software)
        ? command.wire()
        : inOwnGroup(command.wire());
    // Without the connection there is nothing to fall back to: ssh would make another one, as somebody else perhaps.
    const way = GIVES_ONE_SESSION.test(master.software)
      ? ["-o", "ControlPath=none", ...destination.slice(0, -2)]
      : ["-F", "none", "-o", `ControlPath="${master.socket}"`, "-o", "ProxyCommand=false"];
    const options = ["ControlMaster=no", "BatchMode=yes", "LogLevel=ERROR", "EscapeChar=none"].flatMap(option => [
      "-o",
      option,
    ]);
    return [program, ...options, ...way, pty ? "-tt" : "-T", "--", destination.at(-1) ?? "", inPosixShell(line)];
  }

  #lost(reason = "the connection was closed"): ConnectionLostError {
    const { host } = this.#options;
    return new ConnectionLostError(`Lost the connection to ${host} before the command ended: ${reason}`, { host });
  }
}

const CUT = /^(Connection to .* closed by|Connection reset by|client_loop: |Read from remote host )/m;
const REFUSED = /^mux_client_request_session: session request failed/m;
/** As much of its stderr as is looked at. */
const SAID = 1000;

/** What a command reads, sent once it has begun; on a terminal with the end that terminals have. */
async function* later(input: Input, begun: Promise<boolean>, pty: boolean): AsyncGenerator<Uint8Array> {
  if (!(await begun)) return;
  let lastByte: number | undefined;
  for await (const piece of pieces(input)) {
    lastByte = piece.at(-1);
    yield piece;
  }
  if (pty) {
    yield Buffer.from(endOfInput(lastByte));
    // Closing this side would end the session with its terminal.
    await new Promise(() => {});
  }
}
