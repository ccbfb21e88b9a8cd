/** Preparing: deploys are evaluated for every host, and every operation is forecast. @module */
import {
  CancelledError,
  CarrierError,
  CommandError,
  CommandTimeoutError,
  ConnectError,
  ConnectionLostError,
  DeployError,
  EscalationError,
  FactError,
  GlobalArgumentError,
  OperationTypeError,
  OperationValueError,
  TsinfraError,
} from "../../core/errors.ts";
import type { FactSource, HostIdentity } from "../../core/host.ts";
import { DeployScope } from "../operation/deploy-scope.ts";
import { passiveHost } from "../operation/facade.ts";
import { asOperationError } from "../operation/operation-error.ts";
import type { Engine } from "../engine.ts";
import type { Declaring, HostState, OperationCall } from "../host-state.ts";
import { forecast } from "../operation/perform.ts";
import { errorText, originsOf, shown } from "../../core/thrown.ts";
import { onMore, rememberShown, reportError, threw } from "../report.ts";
import type { Deploy } from "../settings.ts";
import { stopwatch } from "../stopwatch.ts";

/** Evaluate the deploys in order, each on all active hosts at once. Rejects if what the user wrote is wrong. */
export async function prepare(engine: Engine, deploys: readonly Deploy[]): Promise<void> {
  const { clock, emit, signal } = engine.settings;
  const seconds = stopwatch(clock);
  engine.stage = "prepare";
  emit({ type: "stage:start", stage: "prepare", hosts: engine.activeHosts.length });
  try {
    for (const { facts } of engine.hosts) facts.usersMayCome = true;
    for (const [index, deploy] of deploys.entries()) {
      const before = doings(engine);
      const active = engine.activeHosts.length;
      const problems = await Promise.all(engine.activeHosts.map(host => prepareHost(engine, host, deploy, index)));
      signal.throwIfAborted();
      tell(
        engine,
        problems.filter(problem => problem !== undefined),
      );
      engine.expectNothingLate();
      // What failed on a host may have been about to do something.
      const isIdle = doings(engine) === before && active > 0 && engine.activeHosts.length === active;
      if (isIdle && deploy.file !== undefined) emit({ type: "log", level: "warn", message: idle(deploy) });
    }
  } finally {
    for (const { facts } of engine.hosts) facts.usersMayCome = false;
    engine.endStage("prepare", seconds());
  }
}

/** How often anything was declared, asked, run or set. */
const doings = ({ hosts, questions }: Engine): number =>
  hosts.reduce((sum, host) => sum + host.calls.length + host.directCommands + host.dataVersion, questions);

/** A file of functions that nobody calls looks like one that has nothing to change. */
const idle = ({ name }: Deploy): string =>
  `${name} declares no operation on any host and asks nothing: functions in it run only where they are called`;

/** Ask something of every active host, all at once. */
export async function askFacts(
  engine: Engine,
  ask: (host: FactSource & HostIdentity) => Promise<unknown>,
): Promise<ReadonlyMap<string, { readonly answer: unknown } | { readonly error: TsinfraError }>> {
  engine.stage = "prepare";
  const answers = await Promise.all(
    engine.activeHosts.map(async host => {
      const result = await ask(passiveHost(engine, host)).then(
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
  readonly host: HostState;
  readonly error: unknown;
  /** It is an operation that cannot do what it was asked; else what the user wrote cannot be carried out. */
  readonly isOperations: boolean;
}

/** Evaluate a deploy for one host. A connection that is lost on the way is made again, and the deploy evaluated again, as often as operations are tried again. */
async function prepareHost(
  engine: Engine,
  host: HostState,
  deploy: Deploy,
  index: number,
): Promise<Problem | undefined> {
  const { clock, config, emit, signal } = engine.settings;
  for (let attempt = 1; ; attempt++) {
    // Kept only where it may be needed.
    const undo = attempt <= config.retry ? host.mark() : undefined;
    engine.evaluating.set(host, deploy.name);
    try {
      await evaluate(engine, host, deploy, index);
      emit({ type: "deploy:ready", host: host.name, file: deploy.name });
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ConnectionLostError && undo) {
        emit({ type: "host:retry", host: host.name, attempt, error: reportError(error) });
        undo();
        await clock.sleep(config.retryDelay, signal);
        continue;
      }
      if (error instanceof FailedForecast) return { host, error: error.reason, isOperations: true };
      if (!isHostsOwn(error)) return { host, error, isOperations: false };
      engine.fail(host, asHostError(engine, deploy, error), "prepare");
      return undefined;
    } finally {
      engine.evaluating.delete(host);
    }
  }
}

/** What the file made of errors of the host, in words. */
function asHostError({ settings }: Engine, { name }: Deploy, error: unknown): unknown {
  if (error instanceof TsinfraError) return error;
  const [at, ...callers] = settings.callSites(error);
  return new DeployError(threw(name, error), { at, callers, cause: error });
}

async function evaluate(engine: Engine, host: HostState, deploy: Deploy, index: number): Promise<void> {
  const declared: OperationCall[] = [];
  const declaring: Declaring = {
    declare: call => {
      declared.push(call);
      host.calls.push(call);
      call.forecastBy(forecast(engine, call).catch((thrown: unknown) => leftToTurn(engine, call, thrown)));
    },
    settled: call => call.forecast(),
  };
  const scope = DeployScope.ofDeploy(engine, host, declaring, deploy, index);
  try {
    await scope.run(() => deploy.evaluate());
  } catch (error) {
    // What it has declared has nothing to tell any more, when others are told or it is evaluated again.
    await Promise.allSettled(declared.map(call => call.forecast()));
    throw error;
  }
  for (const call of declared) {
    if (call.isForecast) continue;
    await call.forecast().catch((thrown: unknown) => {
      engine.settings.signal.throwIfAborted();
      const error = asOperationError(engine, call, thrown);
      throw isArgumentMistake(error) || isHostsOwn(error) ? error : new FailedForecast(error);
    });
  }
}

/** Failing is the operation's own affair where that may be ignored; wrong arguments are not its failure, and without the host nothing goes on. */
function leftToTurn(engine: Engine, call: OperationCall, thrown: unknown): boolean {
  if (!call.how.all._ignoreErrors || engine.settings.signal.aborted) throw thrown;
  const error = asOperationError(engine, call, thrown);
  if (isArgumentMistake(error) || (isHostsOwn(error) && !(error instanceof FactError))) throw thrown;
  call.leaveToTurn();
  return true;
}

/** An operation cannot do what it was asked, as far as can be seen while preparing. */
class FailedForecast extends Error {
  readonly reason: TsinfraError;
  constructor(reason: TsinfraError) {
    super(reason.message);
    this.reason = reason;
  }
}

const isArgumentMistake = (error: unknown): boolean =>
  error instanceof OperationTypeError || error instanceof OperationValueError || error instanceof GlobalArgumentError;

/** The host's fault, not that of what the user wrote: it fails alone. So does one where the user's code made another error of such, and of nothing else. */
function isHostsOwn(error: unknown, depth = 0): boolean {
  if (HOSTS_OWN.some(type => error instanceof type)) return true;
  if (depth === DEPTH || (error instanceof TsinfraError && !(error instanceof DeployError))) return false;
  const origins = originsOf(error);
  return origins.length > 0 && origins.every(origin => isHostsOwn(origin, depth + 1));
}
const HOSTS_OWN = [
  CarrierError,
  FactError,
  ConnectError,
  ConnectionLostError,
  CommandError,
  CommandTimeoutError,
  EscalationError,
];
/** What comes from itself has no end. */
const DEPTH = 5;

/** An operation that fails on some hosts takes those out of the run, and only those. Throws what is wrong everywhere. */
function tell(engine: Engine, problems: readonly Problem[]): void {
  const mistakes = problems.filter(({ isOperations }) => !isOperations);
  if (mistakes.length > 0) throwFirst(engine, mistakes);
  const isEverywhere =
    problems.length === engine.activeHosts.length && new Set(problems.map(({ error }) => textOf(error))).size === 1;
  if (isEverywhere) throwFirst(engine, problems);
  for (const { host, error } of problems) engine.fail(host, error, "prepare");
}

function textOf(error: unknown): string {
  if (error instanceof TsinfraError) return error.message;
  return error instanceof Error ? errorText(error).replace(/^Error: /, "") : shown(error);
}

/** One mistake usually shows on every host: it is told once, and what else is wrong beside it. */
function throwFirst(engine: Engine, problems: readonly Problem[]): void {
  const [first, ...others] = problems;
  if (!first) return;
  const { error } = first;
  const kinds = Map.groupBy(others, other => textOf(other.error));
  const same = kinds.get(textOf(error))?.length ?? 0;
  kinds.delete(textOf(error));
  for (const [text, [{ host, error: other }, ...more]] of kinds as Map<string, [Problem, ...Problem[]]>) {
    const at = other instanceof TsinfraError && other.at ? other.at : engine.settings.callSites(other)[0];
    const place = at ? ` (${at.file}:${at.line}:${at.column})` : "";
    engine.settings.emit({
      type: "log",
      level: "error",
      host: host.name,
      message: `${text}${onMore(more.length)}${place}`,
    });
  }
  if (!(error instanceof Error) || error instanceof CancelledError) throw error;
  if (error instanceof TsinfraError && !Object.isFrozen(error)) {
    error.host ??= first.host.name;
    error.message += onMore(same);
  } else if (same + 1 < engine.hosts.length) rememberShown(error, { host: first.host.name, more: same });
  throw error;
}
