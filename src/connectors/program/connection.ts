/** Running commands in a place that a program reaches. @module */
import { sh, type Shell } from "../../core/command.ts";
import { tooMuchBefore } from "../../core/connect-failure.ts";
import type { Connection, Input, RunOptions, RunResult } from "../../core/connector.ts";
import { ConnectError, ConnectionLostError } from "../../core/errors.ts";
import { pieces } from "../shared/input.ts";
import { captureOutput, lastWords } from "../shared/output.ts";
import { Slots } from "../shared/slots.ts";
import { onAbort, unlessAborted } from "../../core/abort.ts";
import { settlesWithin } from "../shared/wait.ts";
import { Frame, type Words } from "./frame.ts";

/** Commands at once: each costs a process where the program is, and a channel of the connection to there, which is to keep some for ending them. */
const AT_ONCE = 6;
/** How long a command may take to begin before it is given up when it is to end, and to end once it was killed, in milliseconds. */
const GRACE = 3000;
/** How long the program may hold on after the command has ended: something in the background may still have its output open. */
const LINGER = 3000;
/** What a shell says of a command that was killed. */
const KILLED = 137;
/** How long a look at the place may take. */
const LOOK = 20_000;

/** Where commands are run, and how. */
export interface Reach {
  /** For messages. */
  readonly host: string;
  /** The connection to where the program is. */
  readonly outer: Pick<Connection, "run">;
  /** The program's own command line around the words it is to run. */
  wrap(words: Words, options: { readonly pty: boolean }): Shell;
  /** Commands are processes of the program's own, and end with it; else it only asks somebody to run them. */
  readonly endsCommands: boolean;
  readonly onLost: () => void;
}

export class PlaceConnection {
  readonly #reach: Reach;
  readonly #slots = new Slots(AT_ONCE);
  #hasWorked = false;
  readonly #lingering = new Set<Promise<unknown>>();

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  async run(command: Shell, options: RunOptions = {}): Promise<RunResult> {
    using _ = await this.#slots.take(options.signal);
    options.signal?.throwIfAborted();
    try {
      return await this.#converse(command, options);
    } catch (error) {
      if (error instanceof ConnectionLostError) this.#reach.onLost();
      throw error;
    }
  }

  /** Wait for programs that have not ended with their command. */
  async close(): Promise<void> {
    await Promise.all(this.#lingering);
  }

  async #converse(command: Shell, options: RunOptions): Promise<RunResult> {
    const { signal, stdin, pty = false } = options;
    const frame = new Frame(command, { pty, reads: stdin !== undefined });
    const output = captureOutput(options);
    const cut = new AbortController();
    let failure: { readonly reason: unknown } | undefined;
    let stopping: Promise<void> | undefined;
    const stop = (reason: unknown): void => {
      failure ??= { reason };
      stopping ??= this.#end(frame, settled, cut);
    };
    const running = this.#reach.outer.run(this.#reach.wrap(frame.words, { pty }), {
      pty,
      capture: false,
      signal: cut.signal,
      ...(pty || stdin !== undefined ? { stdin: feed(stdin, { frame, pty, onFailure: stop }) } : {}),
      onOutput: (stream, chunk) => {
        const own = frame[stream].pass(chunk);
        if (frame[stream].isDrowned) throw tooMuchBefore(this.#reach.host);
        return output.add(stream, own);
      },
    });
    const settled = running.then(
      ({ exitCode }) => ({ exitCode }),
      (error: unknown) => ({ error }),
    );
    using _ = onAbort(signal, () => stop(signal?.reason));
    await Promise.race([settled, frame.ended]);
    if (!failure) await unlessAborted(output.taken(), signal).catch(stop);
    await stopping;
    if (frame.pid !== undefined) this.#hasWorked = true;
    if (failure) throw failure.reason;
    if (frame.exitCode === undefined || !(await settlesWithin(frame.ended, 0)))
      return output.result(await this.#exitCode(frame, await settled));
    this.#letGo(settled, cut);
    return output.result(frame.exitCode);
  }

  /** The exit code of a command that did not say it: killed together with its wrapper, or lost. Throws `ConnectionLostError`. */
  async #exitCode(frame: Frame, ending: { readonly exitCode: number } | { readonly error: unknown }): Promise<number> {
    if ("error" in ending) throw ending.error;
    if (frame.exitCode !== undefined) return frame.exitCode;
    // Not every program knows; of one that has said nothing it was at least no success.
    if (frame.pid !== undefined && (await this.#isThere())) return ending.exitCode || KILLED;
    const { host } = this.#reach;
    if (frame.pid !== undefined) throw new ConnectionLostError(`Lost ${host} before the command ended`, { host });
    const reason = `${lastWords(frame.stderr.noise, frame.stdout.noise)} (exit code ${ending.exitCode})`;
    if (this.#hasWorked) throw new ConnectionLostError(`Cannot run commands on ${host} any more: ${reason}`, { host });
    throw new ConnectError(`Cannot run commands on ${host}: ${reason}`, { host });
  }

  async #isThere(): Promise<boolean> {
    const frame = new Frame(sh`exit 0`, { pty: false });
    const looking = this.#reach.outer.run(this.#reach.wrap(frame.words, { pty: false }), {
      capture: false,
      signal: AbortSignal.timeout(LOOK),
      onOutput: (stream, chunk) => void frame[stream].pass(chunk),
    });
    await looking.catch(() => undefined);
    return frame.pid !== undefined;
  }

  /** End a command where it runs, and then the program that it is reached by, if that does not follow. */
  async #end(frame: Frame, settled: Promise<unknown>, cut: AbortController): Promise<void> {
    // A command that has just been sent has not said yet who it is.
    if (!this.#reach.endsCommands) await settlesWithin(Promise.race([frame.begun, settled]), GRACE);
    if (frame.pid !== undefined && !this.#reach.endsCommands) {
      const line = endFrom(frame.pid);
      const killing = this.#reach.outer.run(this.#reach.wrap(["/bin/sh", "-c", line.wire()], { pty: false }), {
        signal: AbortSignal.timeout(LOOK),
      });
      await killing.catch(() => undefined);
      if (await settlesWithin(settled, GRACE)) return;
    }
    cut.abort(new Error("The command was ended"));
    await settled;
  }

  #letGo(settled: Promise<unknown>, cut: AbortController): void {
    const gone = settlesWithin(settled, LINGER).then(async isGone => {
      if (isGone) return;
      cut.abort(new Error("The command has ended"));
      await settled;
    });
    this.#lingering.add(gone);
    void gone.finally(() => this.#lingering.delete(gone));
  }
}

/**
 * End what a process leads: its group, else all that descend from it, for some programs (lxc) run commands in a group that is not theirs.
 * Asked first, and killed a second later. With nothing but a shell, which is all that the place need have.
 */
const endFrom = (pid: number): Shell =>
  sh`exec 2>/dev/null
if kill -TERM -${pid}; then all=-${pid}; else
  all=' ${pid} ' more=1
  while [ -n "$more" ]; do
    more=
    for stat in /proc/[0-9]*/stat; do
      { read -r line <"$stat"; } || continue
      one=\${line%% *}; set -- \${line##*) }
      case $all in *" $one "*) ;; *" $2 "*) all="$all$one " more=1;; esac
    done
  done
  kill -TERM $all
fi
for try in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for one in $all; do kill -0 "$one" && left=1; done
  [ -n "$left" ] || exit 0
  sleep 0.1 || sleep 1
done
kill -KILL $all`;

/**
 * What a command reads, until it has ended. On a terminal nothing is sent before the command has begun:
 * the terminal would show it, or its end would be the end of the program's own input.
 */
async function* feed(
  stdin: Input | undefined,
  {
    frame,
    pty,
    onFailure,
  }: { readonly frame: Frame; readonly pty: boolean; readonly onFailure: (reason: unknown) => void },
): AsyncGenerator<Uint8Array> {
  if (pty) await frame.begun;
  if (stdin === undefined) return;
  const chunks = pieces(stdin);
  // A race with `frame.ended` would keep every chunk until the end.
  let wake: (() => void) | undefined;
  let isOver = false;
  void frame.ended.then(() => {
    isOver = true;
    wake?.();
  });
  try {
    while (!isOver) {
      const chunk = await new Promise<Uint8Array | undefined>((resolve, reject) => {
        wake = () => resolve(undefined);
        chunks.next().then(({ value }) => resolve(value), reject);
      });
      if (!chunk) return;
      yield chunk;
    }
  } catch (error) {
    onFailure(error);
  } finally {
    // Not waited for: it may itself wait for what never comes.
    void chunks.return(undefined).catch(() => undefined);
  }
}
