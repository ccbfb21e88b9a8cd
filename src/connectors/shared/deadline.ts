/** A limit on waiting that can say what it waited for. @module */
import { onAbort } from "../../core/abort.ts";

/** Ends a piece of work after some time; time in which a person is asked does not count. */
export class Deadline implements Disposable {
  /** What is being waited for, for the error. */
  phase: string;
  readonly #seconds: number;
  readonly #controller = new AbortController();
  readonly #outer: Disposable;
  readonly #onExpiry: (phase: string, seconds: number) => Error;
  #left: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #since = 0;
  #holds = 0;

  /** `onExpiry` makes the error that the signal is aborted with. */
  constructor(options: {
    readonly seconds: number;
    readonly phase: string;
    readonly signal?: AbortSignal;
    readonly onExpiry: (phase: string, seconds: number) => Error;
  }) {
    this.phase = options.phase;
    this.#seconds = options.seconds;
    this.#left = options.seconds * 1000;
    this.#onExpiry = options.onExpiry;
    this.#outer = onAbort(options.signal, () => this.#controller.abort(options.signal?.reason));
    this.#start();
  }
  /** Aborted at the deadline, or when the caller's own signal is. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  /** Milliseconds that are left. */
  get left(): number {
    return Math.max(0, this.#timer === undefined ? this.#left : this.#left - (performance.now() - this.#since));
  }
  /** Another one of the same length, which begins now and ends with this one. */
  again(onExpiry: () => Error): Deadline {
    return new Deadline({ seconds: this.#seconds, phase: this.phase, signal: this.signal, onExpiry });
  }
  /** Wait for something that may take as long as it takes: a person. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    if (this.#holds++ === 0) this.#stop();
    try {
      return await work();
    } finally {
      if (--this.#holds === 0) this.#start();
    }
  }
  [Symbol.dispose](): void {
    this.#stop();
    this.#holds = Number.POSITIVE_INFINITY;
    this.#outer[Symbol.dispose]();
  }
  #start(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#controller.abort(this.#onExpiry(this.phase, this.#seconds)), this.#left);
  }
  #stop(): void {
    clearTimeout(this.#timer);
    if (this.#timer !== undefined) this.#left -= performance.now() - this.#since;
    this.#timer = undefined;
  }
}
