/** The engine's side of a handle: filled in when the operation has run. @module */
import { DeployError } from "../../core/errors.ts";
import {
  type IncludeResult,
  type OperationHandle,
  type OperationResult,
  refuseForeignMembers,
} from "../../core/handle.ts";
import type { Completion, OperationCall } from "../host-state.ts";
import { printedBy } from "./attempt.ts";

const hasFailed = ({ outcome }: Completion): boolean => ["failed", "ignored", "interrupted"].includes(outcome);

/** What several operations came to, once they have run. */
export function resultOf(handles: readonly Handle[]): IncludeResult {
  const result = {
    didChange: () => handles.some(handle => handle.didChange()),
    didNotChange: () => handles.every(handle => handle.didNotChange()),
    didSucceed: () => handles.every(handle => handle.didSucceed()),
    didError: () => handles.some(handle => handle.didError()),
  };
  refuseForeignMembers(result);
  return result;
}

/** One operation on one host, as deploy files see it. */
export class Handle implements OperationHandle {
  readonly #call: OperationCall;

  constructor(call: OperationCall) {
    this.#call = call;
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
    return printedBy(this.#ended("stdoutLines").results).stdoutLines;
  }
  get stderrLines(): readonly string[] {
    return printedBy(this.#ended("stderrLines").results).stderrLines;
  }
  get stdout(): string {
    return printedBy(this.#ended("stdout").results).stdoutLines.join("\n");
  }
  get stderr(): string {
    return printedBy(this.#ended("stderr").results).stderrLines.join("\n");
  }
  get isCut(): boolean {
    return printedBy(this.#ended("isCut").results).isCut;
  }
  get retryAttempts(): number {
    return this.#ended("retryAttempts").retryAttempts;
  }
  get willChange(): Promise<boolean> {
    return this.#call.forecast();
  }

  // A handle is awaitable on purpose: `await` gives the result without this method, so that it ends there.
  then<R = OperationResult, E = never>(
    onResult?: ((result: OperationResult) => R | PromiseLike<R>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#call
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
    if (this.#call.completion) return this.#call.completion;
    throw new DeployError(`"${member}" of ${this.#call.name} is not known before the operation has run`, {
      hint: this.#call.isNested
        ? "Put `await` before the operation: in a callback, that waits until it has run"
        : "While preparing use `await handle.willChange`; to decide when its turn comes pass `handle.didChange` to `_if`, or use `ts.call`",
    });
  }
}
refuseForeignMembers(Handle.prototype);
