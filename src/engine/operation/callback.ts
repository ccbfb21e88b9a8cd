/** Functions that run between commands, and the operations they declare. @module */
import { DeployError, type TsinfraError } from "../../core/errors.ts";
import type { HostControl } from "../../core/host.ts";
import { logged } from "../../core/logged.ts";
import type { Engine } from "../engine.ts";
import type { OperationCall } from "../host-state.ts";
import type { Ending } from "./attempt.ts";
import { runDirect } from "./commands.ts";
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
  /** Of so many the callback knows. What is declared before it does would not have been, had it waited; what comes after is its answer to them. */
  let known = 0;
  const told = (error: unknown): never => {
    known = failures.length;
    throw error;
  };
  const haveRun = async (): Promise<void> => {
    const before = known;
    await queue;
    if (failures.length > before) told(failures[before]);
  };
  const scope = DeployScope.ofCallback(engine, call, {
    declare: nested => {
      const before = known;
      const run = queue.then(async () => {
        if (failures.length > before) throw failures[before];
        const { outcome } = await performs(engine, nested, call);
        if (outcome !== "failed") return;
        const failure = new DeployError(`The operation "${nested.name}" failed inside "${call.name}"`, {
          at: nested.at,
        });
        failures.push(failure);
        throw failure;
      });
      queue = run.catch(() => undefined);
      runs.set(nested, run);
    },
    settled: nested => (runs.get(nested) ?? Promise.resolve()).catch(told),
    haveRun,
  });
  try {
    await scope.run(async () => void (await body(hostControl(engine, call, scope))));
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
    run: (command, args = {}) =>
      scope.asking("host.run()", () =>
        runDirect(engine, host, command, args, { context: call.how.all, config: call.config, data: [] }),
      ),
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
