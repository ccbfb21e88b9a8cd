/** The engine's side of a handle: filled in when the operation has run. @module */
import { DeployError } from "../core/errors.ts";
import type { OperationHandle, OperationResult } from "../core/handle.ts";
import type { OutcomeType } from "./events.ts";

/** How an operation ended on one host. */
export interface Completion {
  readonly outcome: OutcomeType;
  readonly stdoutLines: readonly string[];
  readonly stderrLines: readonly string[];
  readonly retryAttempts: number;
}

/** One operation on one host, as deploy files see it. */
export class Handle implements OperationHandle {
  readonly #name: string;
  /** What `await` waits for: the forecast while preparing, the run inside a callback. */
  readonly #settled: () => Promise<unknown>;
  readonly #forecast: () => Promise<boolean>;
  #completion: Completion | undefined;

  constructor(name: string, forecast: () => Promise<boolean>, settled: () => Promise<unknown>) {
    this.#name = name;
    this.#forecast = forecast;
    this.#settled = settled;
    // Passed to `_if` and the like without its object.
    this.didChange = this.didChange.bind(this);
    this.didNotChange = this.didNotChange.bind(this);
    this.didSucceed = this.didSucceed.bind(this);
    this.didError = this.didError.bind(this);
  }

  complete(completion: Completion): void {
    this.#completion = completion;
  }
  get isComplete(): boolean {
    return this.#completion !== undefined;
  }

  didChange(): boolean {
    return this.#ended("didChange").outcome === "changed";
  }
  didNotChange(): boolean {
    return this.#ended("didNotChange").outcome !== "changed";
  }
  didSucceed(): boolean {
    return !this.didError();
  }
  didError(): boolean {
    const { outcome } = this.#ended("didError");
    return outcome === "failed" || outcome === "ignored";
  }
  get stdoutLines(): readonly string[] {
    return this.#ended("stdoutLines").stdoutLines;
  }
  get stderrLines(): readonly string[] {
    return this.#ended("stderrLines").stderrLines;
  }
  get stdout(): string {
    return this.#ended("stdout").stdoutLines.join("\n");
  }
  get stderr(): string {
    return this.#ended("stderr").stderrLines.join("\n");
  }
  get retryAttempts(): number {
    return this.#ended("retryAttempts").retryAttempts;
  }
  get willChange(): Promise<boolean> {
    return this.#forecast();
  }

  // A handle is awaitable on purpose: `await` gives the result without this method, so that it ends there.
  then<R = OperationResult, E = never>(
    onResult?: ((result: OperationResult) => R | PromiseLike<R>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#settled()
      .then(() => new Proxy(this, { get: (handle, key) => (key === "then" ? undefined : Reflect.get(handle, key, handle)) }) as OperationResult)
      .then(onResult, onError);
  }

  #ended(member: string): Completion {
    if (this.#completion) return this.#completion;
    throw new DeployError(`"${member}" of ${this.#name} is not known before the operation has run`, {
      hint: "While preparing use `await handle.willChange`; to decide when its turn comes pass `handle.didChange` to `_if`, or use `ts.call`",
    });
  }
}
