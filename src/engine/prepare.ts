/** The third stage: deploys are evaluated for every host, and every operation is forecast. @module */
import {
  CancelledError,
  CommandError,
  CommandTimeoutError,
  ConnectError,
  ConnectionLostError,
  DeployError,
  FactError,
  TsinfraError,
} from "../core/errors.ts";
import type { FactSource, HostIdentity } from "../core/host.ts";
import { inScope } from "../core/scope.ts";
import { DeployScope } from "./deploy-scope.ts";
import type { Engine } from "./engine.ts";
import type { Declaring, HostState, OperationCall } from "./host-state.ts";
import { forecast } from "./perform.ts";
import { thrownAt } from "./report.ts";
import type { Deploy } from "./run.ts";
import { EscalationError } from "./session.ts";

/** Evaluate the deploys in order, each on all active hosts at once. Rejects if what the user wrote is wrong. */
export async function prepare(engine: Engine, deploys: readonly Deploy[]): Promise<void> {
  const { clock, emit, signal } = engine.settings;
  const started = clock.now();
  engine.stage = "prepare";
  emit({ type: "stage:start", stage: "prepare", hosts: engine.activeHosts.length });
  for (const [index, deploy] of deploys.entries()) {
    const problems = await Promise.all(engine.activeHosts.map(host => prepareHost(engine, host, deploy, index)));
    signal.throwIfAborted();
    throwFirst(problems.filter(problem => problem !== undefined));
  }
  emit({ type: "stage:end", stage: "prepare", seconds: (clock.now() - started) / 1000 });
}

/** Ask something of every active host, all at once. */
export async function askFacts(
  engine: Engine,
  ask: (host: FactSource & HostIdentity) => Promise<unknown>,
): Promise<ReadonlyMap<string, { readonly answer: unknown } | { readonly error: TsinfraError }>> {
  engine.stage = "prepare";
  const answers = await Promise.all(
    engine.activeHosts.map(async host => {
      const result = await ask(engine.passiveHost(host)).then(
        answer => ({ answer }),
        (error: unknown) => {
          if (error instanceof TsinfraError) return { error };
          throw error;
        },
      );
      return [host.name, result] as const;
    }),
  );
  return new Map(answers);
}

/** What is wrong with a deploy, and on which host it showed. */
interface Problem {
  readonly host: string;
  readonly error: unknown;
}

async function prepareHost(
  engine: Engine,
  host: HostState,
  deploy: Deploy,
  index: number,
): Promise<Problem | undefined> {
  const declared: OperationCall[] = [];
  const declaring: Declaring = {
    declare: call => {
      declared.push(call);
      host.calls.push(call);
      call.forecastBy(forecast(engine, call));
    },
    settled: call => call.forecast(),
  };
  try {
    await inScope(DeployScope.ofDeploy(engine, host, declaring, deploy, index), () => deploy.evaluate());
    for (const call of declared)
      await call.forecast().catch((error: unknown) => Promise.reject(located(engine, error, call)));
    engine.settings.emit({ type: "deploy:ready", host: host.name, file: deploy.name });
    return undefined;
  } catch (error) {
    if (!isHostsOwn(error)) return { host: host.name, error };
    engine.fail(host, error, "prepare");
    return undefined;
  }
}

/** The host's fault, not that of what the user wrote: it fails alone. */
const isHostsOwn = (error: unknown): boolean =>
  [FactError, ConnectError, ConnectionLostError, CommandError, CommandTimeoutError, EscalationError].some(
    type => error instanceof type,
  );

/** An error of a forecast belongs to the operation that was declared. */
function located(engine: Engine, error: unknown, call: OperationCall): unknown {
  const place = thrownAt(engine.settings.callSites(error), call.at);
  if (error instanceof TsinfraError) {
    if (error.at === undefined) Object.assign(error, place);
    error.operation ??= call.name;
    error.host ??= call.host.name;
    return error;
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new DeployError(`${call.operation.name} threw ${message}`, {
    host: call.host.name,
    operation: call.name,
    ...place,
    cause: error,
  });
}

/** One mistake usually shows on every host: it is told once. */
function throwFirst(problems: readonly Problem[]): void {
  const [first, ...others] = problems;
  if (!first) return;
  const { error } = first;
  if (error instanceof TsinfraError && !(error instanceof CancelledError)) {
    error.host ??= first.host;
    if (others.length > 0) error.message += ` (and on ${others.length} more ${others.length === 1 ? "host" : "hosts"})`;
  }
  throw error;
}
