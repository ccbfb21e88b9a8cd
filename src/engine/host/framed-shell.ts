/** A shell on the host that runs one command after the other: each costs a round trip, and no process or channel of its own. @module */
import { sh, type Shell } from "../../core/command.ts";
import { chattering, cutOff, type Garbling, garbled, stalled, unheard } from "../../core/connect-failure.ts";
import type { Connection, OutputStream } from "../../core/connector.ts";
import { ConnectionLostError, type TsinfraError } from "../../core/errors.ts";
import { KeptOutput } from "../../core/output.ts";
import { outputMark } from "./escalation.ts";
import {
  ASKING_MS,
  BECOMING_MS,
  type FramedStart,
  heldBack,
  lastLine,
  Mark,
  newNonce,
  PASSWORD_DEADLINE_MS,
  PushStream,
  REFUSED,
  repeatsMark,
  saysWhy,
} from "./streams.ts";
import { finish, type FramedCommand, type FramedOptions, type FramedResult, printed } from "./framed-command.ts";
import { CODE, type GroupMember, type GroupOptions, guarded, runs, VARIABLE } from "./framed-script.ts";

/** The shell ended before a command was its turn: it can be run in another one. */
export class ShellEnded extends Error {}

/**
 * Commands are written to the shell's stdin, each run by a shell of its own with nothing to read. Behind its output comes
 * a line that nobody can guess, on stdout with the exit code, on stderr without: all before it belongs to the command.
 * Several may be in flight; they run in order. A command that leaves something running in the background may find
 * its output in the next command's.
 */
export class FramedShell {
  readonly #nonce = newNonce();
  readonly #input = new PushStream();
  readonly #waiting = { stdout: [] as FramedCommand[], stderr: [] as FramedCommand[] };
  readonly #rest: Record<OutputStream, Uint8Array> = { stdout: EMPTY, stderr: EMPTY };
  readonly #start: string;
  /** What it goes through, for messages. */
  readonly #way: string;
  readonly #host: string;
  readonly #program: string;
  /** On stderr, and on stdout. */
  readonly #mark: Mark;
  readonly #output: Mark;
  readonly #ending = new AbortController();
  /** Bytes that came between two commands. */
  #idle = 0;
  /** Why nothing more can be run in it, for whoever is next. */
  #trouble: TsinfraError | undefined;
  /** A command has come to its end, as both streams said. */
  #hasWorked = false;
  readonly #waits: boolean;
  /** Ends waiting for it to begin. */
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** The same, for whoever asks for something. */
  #asking: ReturnType<typeof setTimeout> | undefined;
  #hasGivenUp = false;
  #ended = false;
  #closed = false;
  #count = 0;
  #groups = 0;

  /**
   * `program` is the shell, and `start` makes the line that begins it and says `NONCE PID` on stderr first, and what it must read before commands;
   * where it `waits`, all but passwords is held back until it has begun.
   */
  constructor(host: string, connection: Connection, program: string, start: (nonce: string) => FramedStart) {
    const { line, passwords, preamble, waits } = start(this.#nonce);
    this.#output = new Mark(outputMark(this.#nonce), host);
    this.#host = host;
    this.#start = `\x01${this.#nonce} `;
    this.#waits = waits;
    this.#way = waits ? "What becomes another user (sudo, su, doas)" : (connection.way ?? "The login shell");
    this.#program = program;
    this.#mark = new Mark(this.#nonce, host);
    if (passwords.length > 0) this.#input.push(passwords);
    // Whatever becomes somebody else (sudo, what its login reads) may read lines that are not for it.
    if (waits) this.#input.hold();
    // What waits for an input that nobody gives must not wait for ever: a password, or a line for its start-up files.
    if (waits)
      this.#patience = setTimeout(() => this.#giveUp(), passwords.length > 0 ? PASSWORD_DEADLINE_MS : BECOMING_MS);
    if (waits && passwords.length === 0)
      this.#asking = setTimeout(() => this.#mark.isUnfinished && this.#giveUp(), ASKING_MS);
    if (preamble.length > 0) this.#input.push(preamble);
    // What it says itself (who was killed, with the whole command) belongs to no command.
    this.#input.push(Buffer.from("exec 3>&2 2>/dev/null\n"));
    connection
      .run(line, {
        stdin: this.#input,
        capture: false,
        signal: this.#ending.signal,
        onOutput: (stream, chunk) => this.#take(stream, chunk),
        onWanted: () => this.close(),
      })
      .then(
        ({ exitCode }) => this.#end(exitCode),
        (error: unknown) => this.#end(error),
      );
  }

  /** How many commands it was sent. */
  get sent(): number {
    return this.#count;
  }

  /** The shell's process on the host, once known. */
  get pid(): number | undefined {
    return this.#mark.pid;
  }

  /** It had not begun in time: whatever leads there waits for an input, and gets none. */
  get hasGivenUp(): boolean {
    return this.#hasGivenUp;
  }

  /** It was sent commands, and has not said that it has begun: it may run them all the same. */
  get mayBegin(): boolean {
    return this.pid === undefined && !this.#waits && this.#count > 0;
  }

  get isOpen(): boolean {
    return (!this.#ended || this.#trouble !== undefined) && !this.#closed;
  }

  /** Run one command. Rejects with `ConnectionLostError`, or `ShellEnded` when it has not run. */
  run(command: Shell, options: FramedOptions): Promise<FramedResult> {
    return this.#send(command, options, undefined);
  }

  /**
   * Run commands in order, as one message; after one whose exit code is no success the rest of the group is skipped.
   * A group that was begun before goes on, even if it is skipping already. Unless the test `only` succeeds when it is their turn, all of them are skipped, and what follows in the group.
   */
  runGroup(
    commands: readonly Shell[],
    options: readonly FramedOptions[],
    { group = this.beginGroup(), only, successExitCodes }: GroupOptions,
  ): Promise<FramedResult>[] {
    return commands.map((command, index) =>
      this.#send(command, options[index] ?? {}, { group, successExitCodes, only: index === 0 ? only : undefined }),
    );
  }

  /** Commands that belong together. Returns its name. */
  beginGroup(): string {
    const group = `${VARIABLE}${++this.#groups}`;
    this.#input.push(Buffer.from(`${group}=0\n`));
    return group;
  }

  /** End the shell once what is in flight has ended. */
  close(): void {
    this.#closed = true;
    this.#input.end();
  }

  /** Give the shell up, as far as the connection can; what is in flight is rejected with the reason. */
  abandon(reason: unknown): void {
    this.#ending.abort(reason);
    this.#end(reason);
  }

  #giveUp(): void {
    this.#hasGivenUp = true;
    this.#input.end();
  }

  #stopWaiting(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#asking);
  }

  #send(
    command: Shell,
    { onOutput, onTurn, onBegin, keep, inPlace = false }: FramedOptions,
    member: GroupMember | undefined,
  ): Promise<FramedResult> {
    if (this.#trouble) return Promise.reject(this.#trouble);
    if (!this.isOpen) return Promise.reject(new ShellEnded());
    const { promise, resolve, reject } = Promise.withResolvers<FramedResult>();
    const mark = `\x01${this.#nonce} ${++this.#count} `;
    const framed: FramedCommand = {
      mark: Buffer.from(mark),
      onOutput,
      onTurn,
      onBegin,
      output: { stdout: new KeptOutput(keep), stderr: new KeptOutput(keep) },
      hasBegun: false,
      isTested: member?.only !== undefined,
      exitCode: undefined,
      open: 2,
      resolve,
      reject,
    };
    this.#idle = 0;
    this.#waiting.stdout.push(framed);
    this.#waiting.stderr.push(framed);
    if (this.#running === undefined) this.#turn(framed);
    const ends = sh`printf '\\001%s %s %s\\n' ${this.#nonce} ${this.#count}`;
    const told = sh`${ends} begin >&3; ${runs(command, this.#program, inPlace)} </dev/null 2>&3 3>&-; ${CODE}=$?`;
    const line = member ? guarded(told, member) : told;
    this.#input.push(Buffer.from(`${sh`${line}; ${ends} "$${CODE}"; ${ends} end >&3`.wire()}\n`));
    return promise;
  }

  #turn(framed: FramedCommand | undefined): void {
    this.#running = framed;
    framed?.onTurn?.();
    this.#watch();
  }
  /** What the shell runs. */
  #running: FramedCommand | undefined;

  #take(stream: OutputStream, chunk: Uint8Array): void | Promise<void> {
    if (this.#ended) return;
    let data = this.#rest[stream].length === 0 ? chunk : Buffer.concat([this.#rest[stream], chunk]);
    if ((stream === "stdout" ? this.#output : this.#mark).pid === undefined)
      try {
        data = this.#begin(stream, data);
      } catch (error) {
        return this.abandon(error);
      }
    if (stream === "stderr" && repeatsMark(data, this.#nonce)) return this.#garbled("changed");
    const busy: Promise<void>[] = [];
    const give = (framed: FramedCommand, part: Uint8Array): void => {
      if (part.length === 0) return;
      framed.output[stream].add(part);
      const taken = framed.onOutput?.(stream, part);
      if (taken) busy.push(taken);
    };
    for (let framed = this.#waiting[stream][0]; framed; framed = this.#waiting[stream][0]) {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
      const at = bytes.indexOf(framed.mark);
      const end = at === -1 ? -1 : bytes.indexOf(NEWLINE, at);
      if (this.#isForeign(bytes, at)) return this.#garbled("changed");
      if (end === -1) {
        // What may be the beginning of the mark waits for the rest of it.
        const held = at === -1 ? heldBack(bytes) : at;
        give(framed, data.subarray(0, held));
        data = data.subarray(held);
        break;
      }
      give(framed, data.subarray(0, at));
      const said = bytes.subarray(at + framed.mark.length, end).toString("latin1");
      data = data.subarray(end + 1);
      if (said === "begin") {
        framed.hasBegun = true;
        framed.onBegin?.();
        continue;
      }
      if (stream === "stdout" && said !== "skipped" && !EXIT_CODE.test(said)) return this.#garbled("changed");
      this.#waiting[stream].shift();
      if (stream === "stdout") {
        framed.exitCode = said;
        this.#turn(this.#waiting.stdout[0]);
      }
      if (--framed.open > 0) continue;
      this.#hasWorked = true;
      finish(framed);
    }
    this.#watch();
    if (this.#waiting[stream].length === 0 && data.length > 0) {
      const left = this.#drop(data);
      if (!left) return;
      data = left;
    }
    // Copied: the chunk may be part of a buffer that is used again.
    this.#rest[stream] = data.length === 0 ? EMPTY : new Uint8Array(data);
    if (busy.length === 0) return;
    this.#untaken++;
    return Promise.all(busy)
      .finally(() => this.#untaken--)
      .then(() => undefined);
  }

  /** What comes when all is done is nobody's. Returns what may be the beginning of a mark; `undefined`: the shell was given up. */
  #drop(data: Uint8Array): Uint8Array | undefined {
    if (this.#closed) return EMPTY;
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
    const held = heldBack(bytes);
    if (this.#isForeign(bytes, -1)) this.#trouble = garbled(this.#host, this.#way, "changed");
    else if ((this.#idle += held) > MOST_IDLE) this.#trouble = chattering(this.#host, this.#way);
    if (!this.#trouble) return data.subarray(held);
    this.abandon(this.#trouble);
    return undefined;
  }

  /** What of a chunk comes behind the line by which the shell says that it has begun. Throws `ConnectError` if that does not come. */
  #begin(stream: OutputStream, chunk: Uint8Array): Uint8Array {
    if (stream === "stdout") {
      if (repeatsMark(chunk, this.#nonce)) throw garbled(this.#host, this.#way, "mixed");
      const rest = this.#output.push(chunk);
      if (this.#output.endsInReturn) throw garbled(this.#host, this.#way, "changed");
      return rest;
    }
    const rest = this.#mark.push(chunk);
    if (this.#mark.pid !== undefined) {
      this.#stopWaiting();
      this.#input.release();
    } else if (this.#patience !== undefined && this.#mark.saw(REFUSED)) this.#input.end();
    return rest;
  }

  /** A mark of ours that is not the one to come next: somebody repeats lines, or moves them. */
  #isForeign(bytes: Buffer, next: number): boolean {
    const at = bytes.indexOf(this.#start);
    return at !== -1 && at !== next && bytes.indexOf(NEWLINE, at) !== -1;
  }

  #garbled(how: Garbling): void {
    this.abandon(garbled(this.#host, this.#way, how));
  }

  /** A shell that has begun on one stream is due to on the other, and so is the end of a command; one whose turn it is is due to begin. */
  #watch(): void {
    clearTimeout(this.#due);
    const { stdout, stderr } = this.#waiting;
    const [next] = stdout;
    const lost = next && this.#lostStream;
    const isUneven = stdout.length !== stderr.length;
    // Whoever becomes somebody else may be asked by a person before the shell begins.
    const isDue = next && !next.hasBegun && !next.isTested && (this.pid !== undefined || !this.#waits);
    if (!lost && !isUneven && !isDue) return;
    // Somebody may still have to take what has come.
    const late = (): void => {
      if (this.#untaken > 0) this.#watch();
      else
        this.abandon(
          this.#hasWorked
            ? stalled(this.#host)
            : garbled(this.#host, this.#way, lost ? `no ${lost}` : isUneven ? "mixed" : "nothing"),
        );
    };
    this.#due = setTimeout(late, lost || isUneven ? OTHER_STREAM_MS : BEGIN_MS);
  }
  /** On which it has not said that it has begun, though it has on the other. */
  get #lostStream(): OutputStream | undefined {
    const [hasOutput, hasErrors] = [this.#output.pid !== undefined, this.#mark.pid !== undefined];
    return hasOutput === hasErrors ? undefined : hasOutput ? "stderr" : "stdout";
  }
  #due: ReturnType<typeof setTimeout> | undefined;
  #untaken = 0;

  /** What was said in place of beginning; nologin and its like say it on stdout. */
  #complaint(framed: FramedCommand): Uint8Array {
    const { before } = this.#mark;
    return lastLine(before) === "" ? this.#output.before : before;
  }

  #end(reason: unknown): void {
    if (this.#ended) return;
    this.#stopWaiting();
    clearTimeout(this.#due);
    this.#ended = true;
    this.#running = undefined;
    this.#input.end();
    const { stdout, stderr } = this.#waiting;
    // Both end with what was sent last.
    const all = stdout.length > stderr.length ? stdout : stderr;
    this.#waiting.stdout = [];
    this.#waiting.stderr = [];
    const exitCode = typeof reason === "number" ? reason : undefined;
    // The end of one that has told its exit code was lost on stderr: and so may be the beginning of the next.
    const told = all.findIndex(framed => framed.exitCode === undefined);
    for (const [index, framed] of all.entries()) {
      if (framed.exitCode !== undefined && (exitCode !== undefined || isEndOfShell(reason))) finish(framed);
      else if (exitCode === undefined)
        framed.reject(reason instanceof Error ? reason : new ConnectionLostError("The shell on the host was lost"));
      else if (
        this.#mark.pid === undefined &&
        // It is sent nothing before it has begun, or somebody says why it does not.
        (this.#waits || saysWhy(this.#mark.before, this.#output.before))
      )
        framed.resolve({ how: "not started", exitCode, stdout: EMPTY, stderr: this.#complaint(framed) });
      else if (index === 0 && this.#mark.pid === undefined)
        framed.resolve({ how: "ran", exitCode, trouble: unheard(this.#host, this.#way, exitCode), ...printed(framed) });
      else if (framed.hasBegun || (index > 0 && index === told))
        framed.resolve({ how: "ran", exitCode, trouble: cutOff(this.#host, exitCode), ...printed(framed) });
      else framed.reject(new ShellEnded());
    }
  }
}

/** It is no mistake of what the shell has told so far. */
const isEndOfShell = (reason: unknown): boolean =>
  reason instanceof ConnectionLostError || reason instanceof ShellEnded;

const EMPTY = new Uint8Array();
const EXIT_CODE = /^\d+$/;
/** Bytes that may come between two commands. */
const MOST_IDLE = 4 * 1024 * 1024;
/** Milliseconds of silence in which the other stream may lag behind. */
const OTHER_STREAM_MS = 10_000;
/** The same for a command to begin in a shell that has nothing else to do. */
const BEGIN_MS = 60_000;
const NEWLINE = 10;
