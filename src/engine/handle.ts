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

/** What a handle speaks for. */
export interface HandleSource {
  readonly name: string;
  forecast(): Promise<boolean>;
  /** What `await` waits for: the forecast while preparing, the run inside a callback. */
  settled(): Promise<unknown>;
}

const hasFailed = ({ outcome }: Completion): boolean => outcome === "failed" || outcome === "ignored";

/** One operation on one host, as deploy files see it. */
export class Handle implements OperationHandle {
  readonly #source: HandleSource;
  #completion: Completion | undefined;

  constructor(source: HandleSource) {
    this.#source = source;
  }

  complete(completion: Completion): void {
    this.#completion = completion;
  }
  get isComplete(): boolean {
    return this.#completion !== undefined;
  }

  // Getters of functions: they are passed to `_if` without their object.
  get didChange(): () => boolean {
    return () => this.#ended("didChange").outcome === "changed";
  }
  get didNotChange(): () => boolean {
    return () => this.#ended("didNotChange").outcome !== "changed";
  }
  get didSucceed(): () => boolean {
    return () => !hasFailed(this.#ended("didSucceed"));
  }
  get didError(): () => boolean {
    return () => hasFailed(this.#ended("didError"));
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
    return this.#source.forecast();
  }

  // A handle is awaitable on purpose: `await` gives the result without this method, so that it ends there.
  then<R = OperationResult, E = never>(
    onResult?: ((result: OperationResult) => R | PromiseLike<R>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#source
      .settled()
      .then(
        () =>
          new Proxy(this, {
            get: (handle, key) => (key === "then" ? undefined : Reflect.get(handle, key, handle)),
          }) as OperationResult,
      )
      .then(onResult, onError);
  }

  #ended(member: string): Completion {
    if (this.#completion) return this.#completion;
    throw new DeployError(`"${member}" of ${this.#source.name} is not known before the operation has run`, {
      hint: "While preparing use `await handle.willChange`; to decide when its turn comes pass `handle.didChange` to `_if`, or use `ts.call`",
    });
  }
}
