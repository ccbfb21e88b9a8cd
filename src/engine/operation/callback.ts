/** Functions that run between commands, and the operations they declare. @module */
import { NestedOperationError } from "../../core/errors.ts";
import type { HostControl } from "../../core/host.ts";
import type { Engine } from "../engine.ts";
import type { OperationCall } from "../host-state.ts";
import type { Ending } from "./attempt.ts";
import { DeployScope } from "./deploy-scope.ts";
import { OneByOne } from "./one-by-one.ts";

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
  const operations = new OneByOne<OperationCall>(async nested => {
    const { outcome, error, others } = await performs(engine, nested, call);
    if (outcome !== "failed") return undefined;
    const message = `The operation "${nested.name}" failed inside "${call.name}"`;
    return new NestedOperationError(message, { at: nested.at, cause: error, others });
  }, engine.settings.signal);
  const scope = DeployScope.ofCallback(engine, call, {
    declare: nested => operations.begin(nested),
    settled: nested => operations.ended(nested),
    haveRun: () => operations.allEnded(),
  });
  try {
    await operations.through(
      () => body(hostControl(engine, call, scope)),
      run => scope.run(run),
    );
  } catch (error) {
    // Its operation tells it, unless that may fail.
    if (!call.how.all._ignoreErrors) engine.forgetLate(error);
    throw error;
  }
}

/** What it does waits until the operations that were declared before have run. */
function hostControl(engine: Engine, call: OperationCall, scope: DeployScope): HostControl {
  const { clock, signal } = engine.settings;
  const { host } = call;
  const { name, groups, getFact, run, log } = scope.host;
  return {
    name,
    groups,
    get data() {
      return scope.host.data;
    },
    getFact,
    run,
    log,
    disconnect: () => scope.asking("host.disconnect()", () => host.session.disconnect()),
    connect: ({ timeout } = {}) =>
      scope.asking("host.connect()", async () => {
        host.facts.forget();
        await host.session.connect(timeout);
      }),
    sleep: seconds => scope.asking("host.sleep()", () => clock.sleep(seconds, signal)),
    now: () => clock.monotonic(),
  };
}
