/** Functions of the deploy's own, run between commands. @module */
import { OperationError } from "../core/errors.ts";
import type { HostControl } from "../core/host.ts";
import { operation } from "../core/operation.ts";

/** Arguments of `ts.call`. */
export interface CallArguments {
  /**
   * Runs when the operation's turn comes; what it throws fails the host. Its result is not used (`false` is no failure), but a promise is waited for.
   * Operations that it calls run at once, one after the other, and what it asks or runs after them waits for them. The failure of one is
   * thrown where the function waits: what catches it goes on, and then fails neither the function nor the host. `host` and `config` are those of this host.
   */
  function(host: HostControl, ...args: readonly unknown[]): unknown;
  /**
   * What it is called with after the host. Lists and plain objects are copies, made when the operation is called, as with every operation:
   * the function gives something back through a variable around it, and not through these.
   */
  readonly args?: readonly unknown[];
}

/**
 * Run a function while the deploy is carried out. Whether it changes anything cannot be known: it counts as a change.
 * @example
 * ts.call({
 *   name: "Wait for the leader",
 *   async function(host) {
 *     const leader = await host.getFact(await import("tsinfra/facts/server").then(facts => facts.Hostname));
 *     logger.info(`${host.name} is ${leader}`);
 *   },
 * });
 */
export const call = operation<CallArguments>({
  name: "ts.call",
  positional: ["function"],
  idempotent: "what the function does cannot be known",
  async *steps(_, { function: body, args = [] }) {
    yield { kind: "function", name: body.name || "function", args, run: host => body(host, ...args) };
  },
});

/** Arguments of `ts.throwError`. */
export interface ThrowErrorArguments {
  /** The error, a class to make it of, or its message. */
  readonly exception: Error | (new (...args: never[]) => Error) | string;
  /** What the class is given. */
  readonly args?: readonly unknown[];
}

/**
 * Fail the host when the operation's turn comes; of use with `_if`.
 * @example
 * ts.throwError({ exception: "The disk is not mounted" });
 */
export const throwError = operation<ThrowErrorArguments>({
  name: "ts.throwError",
  positional: ["exception"],
  idempotent: "it always throws",
  async *steps(_, { exception, args = [] }) {
    yield {
      kind: "function",
      name: "throwError",
      args,
      run() {
        if (typeof exception === "string") throw new OperationError(exception);
        throw typeof exception === "function" ? Reflect.construct(exception, args) : exception;
      },
    };
  },
});
