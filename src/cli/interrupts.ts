/** What ends a command before its time: signals, output that nobody takes, errors that nobody catches. @module */
import { neverComes } from "../core/awaited.ts";
import { CancelledError, DeployError, LeftOverError, LocalFileError, TsinfraError } from "../core/errors.ts";
import { originsOf } from "../core/thrown.ts";
import { describeError, EXIT, type ExitCode } from "./exit.ts";
import type { Interruption, Io, SignalName, Unwritable } from "./io.ts";
import { RecordFile, type RunRecord } from "./record.ts";
import type { Screen } from "./screen.ts";
import { fatalLines } from "./views/errors.ts";
import type { Paint } from "./views/paint.ts";

/** How long things may take to end, in seconds: while nothing is changed, while operations run, and where somebody else will end the program otherwise. */
const PATIENCE = { otherwise: 3, executing: 10, urgent: 2 };
/** Somebody at a keyboard is told after so many seconds what all wait for. */
const TELL_AFTER = 2;
/** So many seconds later the program ends, whatever hangs. */
const LEAVE_AFTER = 2;

/** How things are told. */
interface Voice {
  paint(): Paint;
  /** Tell an error that ends the command. */
  tell(error: TsinfraError): void;
}

/**
 * The first Ctrl-C ends a run in order, the second leaves at once. SIGTERM and a closed terminal end it in order too, but
 * not later than in five seconds. Where there is no run, everything leaves at once.
 */
export class Interrupts {
  readonly #io: Io;
  readonly #screen: Screen;
  readonly #voice: Voice;
  readonly #stop = new AbortController();
  readonly #giveUp = new AbortController();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #ends: readonly (() => void)[];
  /** Whether a question is on the screen; absent: there is nothing that can be ended in order. */
  #isAsking: (() => boolean) | undefined;
  /** There was a run: how it has ended is told yet, or just now. */
  #hasEnded = false;
  #isUrgent = false;
  readonly #strays: Promise<void>[] = [];
  #unwritable: TsinfraError | undefined;
  #stuckBy: TsinfraError | undefined;
  #hasLooked = false;
  /** Where nobody sees how it ends. */
  #unseenSince: { readonly file: RecordFile; readonly why: string; readonly when: Date } | undefined;
  /** Of the run that goes on. */
  record: RunRecord | undefined;
  /** Its results go to standard output alone. */
  isOnStdout = false;
  /** Nobody got them. */
  #isUntold = false;
  /** What the command ends with, which is told next. */
  failure: unknown;
  /** What ended it has been told. */
  isProblemTold = false;
  /** Tells what has not been told of it, before it is left at once. */
  onLeave: () => void = () => {};

  constructor(io: Io, screen: Screen, voice: Voice) {
    this.#io = io;
    this.#screen = screen;
    this.#voice = voice;
    this.#ends = [
      io.onInterrupt(why => this.interrupt(why)),
      io.onStray(thrown => {
        // Everybody who was told to stop throws the same; some of it where nobody waits any more.
        if (thrown !== this.signal.reason && !(thrown instanceof CancelledError) && !isLeftOver(thrown))
          this.#strays.push(this.#stray(thrown));
      }),
      io.onStuck(() => this.#stuck()),
    ];
  }

  /** Aborted when the run is to end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }
  /** Aborted when nothing is to be waited for any longer. */
  get givenUp(): AbortSignal {
    return this.#giveUp.signal;
  }
  /** What ended the run, or spoilt it, and was nobody's wish. */
  get problem(): TsinfraError | undefined {
    const { reason } = this.signal as { readonly reason: unknown };
    return reason instanceof TsinfraError && !(reason instanceof CancelledError)
      ? reason
      : (this.#unwritable ?? this.#stuckBy);
  }
  /** Whether something was thrown that nobody caught, once it has been told: the command is no success then. */
  async hadStrays(): Promise<boolean> {
    // That a promise was rejected and nobody listened comes up once this turn of the event loop is over.
    await new Promise(resolve => setImmediate(resolve));
    await Promise.all(this.#strays);
    return this.#strays.length > 0;
  }

  /** From now on there is something that can be ended in order. */
  begin(isAsking: () => boolean): void {
    this.#isAsking = isAsking;
  }
  /** It has ended. */
  end(): void {
    this.#keepRecord();
    if (this.#isUntold && this.record) this.#screen.lines(this.record.endLines(this.#screen.columns));
    this.#isAsking = undefined;
    this.#hasEnded = true;
  }
  /** The last call. */
  close(): void {
    for (const end of this.#ends) end();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  readonly interrupt = (why: Interruption): void => {
    if (typeof why === "string") this.#signalled(why);
    // Without a terminal there is nobody; its signal may come later, or not at all.
    else if (this.#io[why.stream].isTTY) this.#signalled("SIGHUP");
    else if (isUnread(why.error)) this.#unread(why);
    else this.#refused(why);
  };

  #signalled(signal: SignalName): void {
    if (!this.#isAsking) return this.#leave();
    if (signal === "SIGHUP") this.#unseen("the terminal was closed");
    if (signal === "SIGINT") {
      if (this.signal.aborted) return this.#leave();
      this.#cancel(`ending what runs. ${AGAIN}`);
      return void this.#timers.add(setTimeout(() => this.#tellWait(), TELL_AFTER * 1000).unref());
    }
    this.#cancel(signal === "SIGHUP" ? "the terminal was closed" : "SIGTERM, ending what runs");
    this.#hurry();
  }

  /** Whoever was reading has gone, as in `| head`: said once, however much is still written. */
  #unread({ stream }: Unwritable): void {
    if (!this.#isAsking) return;
    this.#isUntold ||= stream === "stdout" && this.isOnStdout;
    if (stream === "stderr") this.#unseen("nobody read what it said");
    this.#cancel("nobody reads the output any more");
  }

  /** There is no room, or something else is wrong with where the output goes. */
  #refused({ stream, error }: Unwritable): void {
    const name = stream === "stdout" ? "standard output" : "standard error";
    this.#unwritable ??= new LocalFileError(`Cannot write to ${name}: ${reasonOf(error)}`, {
      hint: "Write it to where there is room",
      cause: error,
    });
    this.#isUntold ||= stream === "stdout" && this.isOnStdout;
    if (stream === "stderr") this.#unseen(this.#unwritable.message);
    this.#abort(this.#unwritable);
  }

  #cancel(text: string): void {
    if (this.signal.aborted) return;
    if (this.#isAsking?.()) this.#screen.prompt("\n");
    this.#screen.lines([this.#voice.paint()("warn", `Interrupted: ${text}`)]);
    this.#abort(new CancelledError("The run was interrupted"));
  }

  #abort(reason: Error): void {
    if (this.signal.aborted) return;
    this.#stop.abort(reason);
    this.#giveUpAfter(this.record?.isExecuting ? PATIENCE.executing : PATIENCE.otherwise);
  }

  #tellWait(): void {
    const subject = this.#isAsking && !this.#giveUp.signal.aborted ? this.record?.waitedFor() : undefined;
    if (subject !== undefined) this.#screen.lines([`Not ended yet: ${subject}. ${AGAIN}`]);
  }

  /** Whoever sent the signal will not wait for long. */
  #hurry(): void {
    if (this.#isUrgent) return;
    this.#isUrgent = true;
    this.#giveUpAfter(PATIENCE.urgent);
  }

  #giveUpAfter(seconds: number): void {
    this.#timers.add(setTimeout(() => this.#abandon(), seconds * 1000));
    this.#timers.add(setTimeout(() => this.#leave(), (seconds + LEAVE_AFTER) * 1000));
  }

  #abandon(): void {
    // Nobody hears how these end.
    this.#screen.lines(this.record?.leftLines() ?? []);
    this.#giveUp.abort(this.signal.reason);
  }

  /** What is waited for never comes: the runtime would end without a word. What can be ended in order is, and where that is stuck too it is left. */
  #stuck(): void {
    if (!this.#hasLooked) {
      // What has settled in this very turn goes on in the next.
      this.#hasLooked = true;
      return void setImmediate(() => {});
    }
    const isNew = !this.#stuckBy;
    this.#stuckBy ??= neverComes() ?? new DeployError(this.record?.waitsInVain() ?? LOST);
    if (!isNew || !this.#isAsking) return this.#leave();
    this.#stop.abort(this.#stuckBy);
    this.#abandon();
    this.#timers.add(setTimeout(() => this.#leave(), LEAVE_AFTER * 1000).unref());
    // Only who has done something since is asked again whether it is stuck.
    setImmediate(() => {});
  }

  #leave(): void {
    const { problem } = this;
    this.onLeave();
    const isCut = this.#io.discard();
    this.#screen.leave(() => this.#lastWords(problem, isCut));
    this.#exit(problem ? EXIT.failed : EXIT.interrupted);
  }

  #lastWords(problem: TsinfraError | undefined, isCut: boolean): void {
    const isUntold = this.#isUntold || isCut || (this.isOnStdout && (this.#io.stdout.pending ?? 0) > 0);
    // Where there is no run, nothing has said so yet.
    if (!problem && (isCut || !this.signal.aborted)) this.#screen.lines([this.#voice.paint()("warn", "Interrupted")]);
    this.#screen.lines((isUntold ? this.record?.endLines(this.#screen.columns) : this.record?.leaveLines()) ?? []);
    if (problem && !this.isProblemTold) {
      this.isProblemTold = true;
      this.#voice.tell(problem);
    } else if (problem && isCut)
      this.#screen.lines(fatalLines(describeError(problem).report, this.#voice.paint(), this.#screen.columns));
    this.#keepRecord();
  }

  #exit(code: ExitCode): void {
    this.#io.exit(code, () => this.#unseen("standard error took no more"));
  }

  /** Keep what will not be seen; once now, as nobody knows how much time is left. */
  #unseen(why: string): void {
    if (this.#unseenSince) return;
    const when = new Date(this.#io.clock.now());
    this.#unseenSince = { file: new RecordFile(this.#io.environment, when), why, when };
    this.#keepRecord();
  }

  #keepRecord(): void {
    if (!this.#unseenSince || !this.record) return;
    const { file, why, when } = this.#unseenSince;
    file.write(this.record.lines({ why, when, cwd: this.#io.cwd() }));
  }

  /** What a deploy file throws where nobody can catch it ends the run. */
  async #stray(thrown: unknown): Promise<void> {
    // The run may have ended by the time that it is explained.
    if (thrown instanceof DeployError && thrown.at && this.#isAsking) return this.#abort(thrown);
    const { explained } = await import("./explain.ts");
    const error = await explained(thrown);
    if (error instanceof DeployError && this.#isAsking) return this.#abort(error);
    if (error === this.failure || (error instanceof DeployError && this.signal.reason instanceof DeployError)) return;
    this.#screen.lines(fatalLines(describeError(error).report, this.#voice.paint(), this.#screen.columns));
    if (!this.#isAsking && !this.#hasEnded) this.#exit(EXIT.failed);
  }
}

/** Code goes on that is left over of what has failed, which is told by itself; whatever that code makes of it. */
const isLeftOver = (thrown: unknown): boolean =>
  thrown instanceof LeftOverError || originsOf(thrown).some(origin => origin instanceof LeftOverError);

const AGAIN = "Press Ctrl-C again to leave at once";
const LOST = "The run ended before it was done: something it waits for never comes";

/** Nobody is there to read. */
const isUnread = ({ code }: NodeJS.ErrnoException): boolean => code === "EPIPE" || code === "ECONNRESET";

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  const [, said] = /^E\w+: (.*?)(?:, \w+)?$/.exec(message) ?? [];
  return code === undefined ? message : `${said ?? message} (${code})`;
}
