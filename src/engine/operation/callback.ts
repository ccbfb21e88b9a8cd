/** Functions that run between commands, and the operations they declare. @module */
import { copyOf } from "../../core/copy.ts";
import { NestedOperationError, type TsinfraError } from "../../core/errors.ts";
import type { HostControl } from "../../core/host.ts";
import { logged } from "../../core/logged.ts";
import type { Engine } from "../engine.ts";
import type { OperationCall } from "../host-state.ts";
import type { Ending } from "./attempt.ts";
import { runDirect } from "./commands.ts";
import { mergeArguments } from "../host/arguments.ts";
import { nextTurn } from "../host/time-limit.ts";
import { DeployScope } from "./deploy-scope.ts";

/** Runs an operation that a callback of another one, `within`, declared. Rejects only when the run is cancelled. */
export type Performs = (engine: Engine, call: OperationCall, within: OperationCall) => Promise<Ending>;

/**
 * Run a function between commands: in the scope of a deploy file, where operations run at once, one after the other.
 * The failure of one is thrown where the function waits for it, or for anything of the host behind it, and fails the function unless it is caught there.
 */
export async function runFunction(
  engine: Engine,
  call: OperationCall,
  body: (host: HostControl) => unknown,
  performs: Performs,
): Promise<void> {
  let queue: Promise<unknown> = Promise.resolve();
  const runs = new Map<OperationCall, Promise<unknown>>();
  const failures: TsinfraError[] = [];
  /** Of so many the function knows: it waited for them, or for something behind them. */
  let known = 0;
  /** One has failed just now: whoever waits for it has not had a turn. */
  let isFresh = false;
  let hasThrown = false;
  const told = (error: unknown): never => {
    known = failures.length;
    throw error;
  };
  /** Throws the failure that keeps what is behind it from running: one that nobody has heard of yet, or that has ended the function. */
  const goOn = async (): Promise<void> => {
    // A function that does not give up must not keep everything else from its turn.
    if (isFresh || engine.settings.signal.aborted) await nextTurn();
    isFresh = false;
    engine.settings.signal.throwIfAborted();
    const failure = failures[known] ?? (hasThrown ? failures.at(-1) : undefined);
    if (failure) throw failure;
  };
  const haveRun = async (): Promise<void> => {
    await queue;
    await goOn().catch(told);
  };
  const scope = DeployScope.ofCallback(engine, call, {
    declare: nested => {
      const run = queue.then(async () => {
        await goOn();
        const { outcome, error } = await performs(engine, nested, call);
        if (outcome !== "failed") return;
        const failure = new NestedOperationError(`The operation "${nested.name}" failed inside "${call.name}"`, {
          at: nested.at,
          cause: error,
        });
        failures.push(failure);
        isFresh = true;
        throw failure;
      });
      queue = run.catch(() => undefined);
      runs.set(nested, run);
    },
    settled: nested => (runs.get(nested) ?? Promise.resolve()).catch(told),
    haveRun,
  });
  try {
    await scope.run(async () => {
      try {
        await body(hostControl(engine, call, scope));
      } catch (error) {
        hasThrown = true;
        throw error;
      }
    });
  } catch (error) {
    // Its operation tells it, unless that may fail.
    if (!call.how.all._ignoreErrors) engine.forgetLate(error);
    throw error;
  } finally {
    // What it declared is a part of it, also where it throws further on.
    await queue;
  }
  engine.settings.signal.throwIfAborted();
  if (failures.length > known) throw failures[known];
}

/** What it does waits until the operations that were declared before have run. */
function hostControl(engine: Engine, call: OperationCall, scope: DeployScope): HostControl {
  const { clock, emit, signal } = engine.settings;
  const { host } = call;
  return {
    name: host.name,
    groups: host.groups,
    data: call.data,
    getFact: scope.host.getFact,
    run: (command, args = {}) => {
      const given = copyOf(args);
      return scope.asking("host.run()", () =>
        runDirect(engine, host, command, given, {
          context: mergeArguments(...call.said),
          config: { ...scope.config },
          data: [call.data],
        }),
      );
    },
    disconnect: () => scope.asking("host.disconnect()", () => host.session.disconnect()),
    connect: ({ timeout } = {}) =>
      scope.asking("host.connect()", async () => {
        host.facts.forget();
        await host.session.connect(timeout);
      }),
    sleep: seconds => scope.asking("host.sleep()", () => clock.sleep(seconds, signal)),
    now: () => clock.monotonic(),
    log: message => emit({ type: "log", level: "info", message: logged(message), host: host.name }),
  };
}
