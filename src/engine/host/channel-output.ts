/** What comes out of the channel of one command: what of it is the command's own, and what the marks around that say. @module */
import { cutOff, garbled, swallowed, tooSlow, unanswered, unheard } from "../../core/connect-failure.ts";
import type { OutputStream, RunResult } from "../../core/connector.ts";
import type { CarrierError } from "../../core/errors.ts";
import { KeptOutput } from "../../core/output.ts";
import { type Escalated, outputMark } from "./escalation.ts";
import { asString } from "./fact-output.ts";
import type { CommandOptions, Ran } from "./sending.ts";
import { BECOMING_MS, EndMark, lastLine, Mark, type PreamblePart, REFUSED, repeatsMark, saysWhy } from "./streams.ts";

/** What there is to know of a command before it runs. */
export interface Expected {
  readonly host: string;
  /** Who carries it, as errors call it. */
  readonly way: string;
  readonly nonce: string;
  /** Without a shell of its own a command says nothing but what it prints. */
  readonly scripted: boolean;
  readonly tellsEnd: boolean;
  readonly marksOutput: boolean;
  readonly escalated: Escalated;
}

/** Takes what a channel prints, and knows what it means. */
export class ChannelOutput {
  readonly #expected: Expected;
  readonly #options: Pick<CommandOptions, "pty" | "keep">;
  readonly #onOutput: (stream: OutputStream, chunk: Uint8Array) => void | Promise<void>;
  readonly #kept: Readonly<Record<OutputStream, KeptOutput>>;
  readonly #begin: Mark;
  readonly #end: EndMark;
  /** The same of stdout, where that is marked too. */
  readonly #outputBegin: Mark | undefined;
  readonly #outputEnd: EndMark;
  readonly #ready = Promise.withResolvers<void>();
  readonly #prompted = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<boolean>();
  /** Nobody waits any longer for it to begin. */
  #hasGivenUp = false;
  readonly #taken: Partial<Record<OutputStream, Promise<void>>> = {};
  #isOver = false;

  constructor(
    expected: Expected,
    options: Pick<CommandOptions, "pty" | "keep">,
    onOutput: (stream: OutputStream, chunk: Uint8Array) => void | Promise<void>,
  ) {
    const { host, nonce, escalated, marksOutput, scripted } = expected;
    this.#expected = expected;
    this.#options = options;
    this.#onOutput = onOutput;
    this.#kept = { stdout: new KeptOutput(options.keep), stderr: new KeptOutput(options.keep) };
    this.#begin = new Mark(nonce, host);
    this.#end = new EndMark(nonce);
    this.#outputBegin = scripted && marksOutput ? new Mark(outputMark(nonce), host) : undefined;
    this.#outputEnd = new EndMark(outputMark(nonce), { isLast: true });
    if (!escalated.typed) this.#ready.resolve();
  }

  /** What the command reads first, each when it is its time. */
  get preamble(): readonly PreamblePart[] {
    const { preamble, passwords, typed } = this.#expected.escalated;
    const unprompted = passwords - (typed?.prompts ?? 0);
    return [
      { lines: preamble.slice(0, unprompted), after: this.#ready.promise },
      { lines: preamble.slice(unprompted, passwords), after: this.#prompted.promise },
      // Start-up files may read what comes before that.
      { lines: preamble.slice(passwords), after: this.#begun.promise },
    ];
  }

  /** Of the shell that runs the command, once it has said so. */
  get pid(): number | undefined {
    return this.#begin.pid ?? this.#outputBegin?.pid;
  }

  /** What is kept of what the command printed so far. */
  get printed(): { readonly stdout: string; readonly stderr: string; readonly isCut: boolean } {
    const { stdout, stderr } = this.#kept;
    return { stdout: asString(stdout.bytes()), stderr: asString(stderr.bytes()), isCut: stdout.isCut || stderr.isCut };
  }

  /** Take a chunk; no more is to come until a promise that it returns has resolved. Throws what is wrong with the way. */
  push(stream: OutputStream, chunk: Uint8Array): void | Promise<void> {
    if (!this.#expected.scripted) return this.#take(stream, chunk);
    const marked = this.#options.pty ? "stdout" : "stderr";
    if (stream !== marked) return this.#take(stream, this.#ownOutput(chunk));
    if (this.#begin.pid !== undefined) return this.#take(stream, this.#own(chunk));
    const rest = this.#begin.push(chunk);
    const { typed, passwords } = this.#expected.escalated;
    if (typed && this.#begin.sawBefore(typed.readyLine)) this.#ready.resolve();
    if (typed && this.#begin.sawPromptAfter(typed.readyLine)) this.#prompted.resolve();
    if (this.#begin.pid !== undefined) this.#begun.resolve(true);
    else if (passwords > 0 && this.#begin.saw(REFUSED)) this.#begun.resolve(false);
    if (this.#begin.pid === undefined) return;
    if (this.#begin.endsInReturn && !this.#options.pty) throw this.#garbled("changed");
    return this.#take(stream, this.#own(rest));
  }

  /** A password that is refused would be asked for again, without end; so is one that nobody has given. The error where somebody asks, and nobody will answer. */
  giveUp(): CarrierError | undefined {
    if (this.pid !== undefined) return;
    this.#hasGivenUp = true;
    this.#begun.resolve(false);
    if (!this.#options.pty || !this.#begin.isUnfinished) return;
    return unanswered(this.#expected.host, this.#expected.way, lastLine(this.#begin.before));
  }

  /** Resolves when what has come so far has been taken. */
  get taken(): Promise<unknown> {
    return Promise.all([this.#taken.stdout, this.#taken.stderr]);
  }

  /** Nothing that comes from here on is the command's. */
  close(): void {
    this.#isOver = true;
  }

  /** What became of it. Throws if its end, or what it printed, cannot be what was told. */
  ran(result: RunResult): Ran {
    const { host, way, scripted, tellsEnd } = this.#expected;
    const { stdout, stderr } = this.#kept;
    const started = !scripted || this.#begin.pid !== undefined;
    // nologin and its like say on stdout why nothing begins.
    const beside = this.#outputBegin?.before ?? stdout.bytes();
    if (!started && this.#outputBegin?.pid !== undefined) throw this.#garbled("no stderr");
    if (!started && !saysWhy(this.#begin.before, beside)) throw unheard(host, way, result.exitCode);
    if (this.#end.isUnread) throw this.#hasGivenUp ? tooSlow(host, way, BECOMING_MS / 1000) : swallowed(host, way);
    if (started && tellsEnd && this.#end.exitCode === undefined) throw cutOff(host, result.exitCode);
    if (started && this.#outputBegin?.pid === undefined && this.#outputBegin) throw this.#garbled("no stdout");
    return {
      exitCode: this.#end.exitCode ?? result.exitCode,
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      isCut: stdout.isCut || stderr.isCut,
      started,
      ...(started ? {} : { stderr: lastLine(this.#begin.before) === "" ? beside : this.#begin.before }),
    };
  }

  /** Of the stream that tells how the command begins and ends. */
  #own(chunk: Uint8Array): Uint8Array {
    const { tellsEnd, nonce } = this.#expected;
    const printed = this.#end.push(chunk);
    if (tellsEnd && repeatsMark(printed, nonce)) throw this.#garbled("changed");
    return printed;
  }

  /** Of the other one. */
  #ownOutput(chunk: Uint8Array): Uint8Array {
    const { tellsEnd, nonce } = this.#expected;
    if (this.#begin.pid === undefined && repeatsMark(chunk, nonce)) throw this.#garbled("mixed");
    if (!this.#outputBegin) return chunk;
    const printed = this.#outputBegin.push(chunk);
    if (this.#outputBegin.endsInReturn) throw this.#garbled("changed");
    return tellsEnd ? this.#outputEnd.push(printed) : printed;
  }

  #take(stream: OutputStream, chunk: Uint8Array): void | Promise<void> {
    if (chunk.length === 0 || this.#isOver) return;
    this.#kept[stream].add(chunk);
    const taken = this.#onOutput(stream, chunk);
    if (taken) this.#taken[stream] = taken;
    return taken;
  }

  #garbled(how: Parameters<typeof garbled>[2]): CarrierError {
    return garbled(this.#expected.host, this.#expected.way, how);
  }
}
