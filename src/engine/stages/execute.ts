/** Executing: operations run, in order, by one of three strategies. @module */
import { CancelledError, TooManyFailuresError } from "../../core/errors.ts";
import type { Engine } from "../engine.ts";
import type { Completion, HostState, OperationCall } from "../host-state.ts";
import { tellUnknown, perform } from "../operation/perform.ts";
import { participants, type PlannedOperation } from "./plan.ts";
import { forEachHost } from "./pool.ts";
import { Results } from "./results.ts";
import { stopwatch } from "../stopwatch.ts";

/** Run all operations and emit the results, however it ends. */
export async function execute(engine: Engine, planned: readonly PlannedOperation[]): Promise<void> {
  const { clock, emit, noWait, serial, signal } = engine.settings;
  const seconds = stopwatch(clock);
  engine.stage = "execute";
  const results = new Results(planned);
  emit({ type: "stage:start", stage: "execute", hosts: engine.activeHosts.length });
  let isStopped = false;
  let tooMany: TooManyFailuresError | undefined;
  try {
    checkFailures(engine);
    if (noWait) await withoutWaiting(engine, planned, results);
    else if (serial) await hostByHost(engine, planned, results);
    else await operationByOperation(engine, planned, results);
    signal.throwIfAborted();
    engine.expectNothingLate();
  } catch (error) {
    isStopped = true;
    if (error instanceof TooManyFailuresError) tooMany = error;
    throw signal.aborted && !(error instanceof CancelledError)
      ? new CancelledError("The run was interrupted", { cause: error })
      : error;
  } finally {
    await tellSentAhead(engine, planned, results, isStopped);
    engine.endStage("execute", seconds());
    const told = results.event(engine.hosts, engine.seconds, !signal.aborted);
    if (tooMany && told.hosts.some(({ error, notReached }) => !error && notReached > 0)) engine.stopBy(tooMany);
    emit(told);
  }
}

/** What was sent ahead may have run, though its turn has not come, and will not where the run was stopped. */
async function tellSentAhead(
  engine: Engine,
  planned: readonly PlannedOperation[],
  results: Results,
  isStopped: boolean,
): Promise<void> {
  const { hosts } = engine;
  const begun = isStopped ? await Promise.all(hosts.map(host => host.ahead?.begun() ?? [])) : [];
  const sent = new Set(begun.flat());
  if (sent.size === 0 && hosts.every(({ lost }) => lost.size === 0)) return;
  for (const operation of planned)
    for (const call of operation.calls) {
      const lost = call.host.lost.get(call);
      if (lost || sent.has(call)) results.add(operation, call.host, tellUnknown(engine, call, operation.id, lost), 0);
    }
}

/** All hosts do one operation, then all the next. */
async function operationByOperation(
  engine: Engine,
  planned: readonly PlannedOperation[],
  results: Results,
): Promise<void> {
  for (const operation of planned) {
    const calls = participants(operation);
    if (calls.length === 0 && !operation.isElsewhere) continue;
    const finish = announce(engine, operation, calls);
    if (operation.runOnce) {
      for (const call of operation.calls)
        if (call.host.isActive && call !== calls[0]) skip(engine, operation, call, results);
    }
    const limit = operation.serial ? 1 : engine.settings.config.parallel;
    try {
      for (const batch of batches(operation, calls)) {
        await forEachHost(batch, limit, call => runOn(engine, operation, call, results));
        checkFailures(engine);
      }
    } finally {
      finish();
    }
  }
}

/** One host does all its operations, then the next host. */
async function hostByHost(engine: Engine, planned: readonly PlannedOperation[], results: Results): Promise<void> {
  const byHost = operationsByHost(planned);
  for (const host of engine.activeHosts) {
    await allOf(engine, host, byHost.get(host) ?? [], results);
    checkFailures(engine);
  }
}

/** Every host does its operations at its own pace. */
async function withoutWaiting(engine: Engine, planned: readonly PlannedOperation[], results: Results): Promise<void> {
  const byHost = operationsByHost(planned);
  await forEachHost(engine.activeHosts, engine.settings.config.parallel, async host => {
    await allOf(engine, host, byHost.get(host) ?? [], results);
    checkFailures(engine);
  });
}

/** Each host's calls in its own order, with the operations they belong to. */
function operationsByHost(
  planned: readonly PlannedOperation[],
): ReadonlyMap<HostState, readonly (readonly [PlannedOperation, OperationCall])[]> {
  const byHost = new Map<HostState, [PlannedOperation, OperationCall][]>();
  for (const operation of planned) {
    for (const call of operation.calls) {
      const own = byHost.get(call.host);
      if (own) own.push([operation, call]);
      else byHost.set(call.host, [[operation, call]]);
    }
  }
  return byHost;
}

async function allOf(
  engine: Engine,
  host: HostState,
  own: readonly (readonly [PlannedOperation, OperationCall])[],
  results: Results,
): Promise<void> {
  for (const [operation, call] of own) {
    if (!host.isActive || engine.settings.signal.aborted || tooManyFailed(engine)) return;
    // The first host that comes to it has it; no host waits to see whether another will.
    if (operation.isElsewhere || (operation.runOnce && results.hasRun(operation))) {
      skip(engine, operation, call, results);
      continue;
    }
    const finish = announce(engine, operation, [call]);
    try {
      await runOn(engine, operation, call, results);
    } finally {
      finish();
    }
  }
}

async function runOn(
  engine: Engine,
  operation: PlannedOperation,
  call: OperationCall,
  results: Results,
): Promise<void> {
  const { clock } = engine.settings;
  const seconds = stopwatch(clock);
  results.begin(operation);
  results.add(operation, call.host, await perform(engine, call, operation.id), seconds());
}

function announce(engine: Engine, operation: PlannedOperation, calls: readonly OperationCall[]): () => void {
  const { clock, emit, noWait } = engine.settings;
  const seconds = stopwatch(clock);
  const mode = operation.runOnce ? "run once" : operation.serial && !noWait ? "serial" : "parallel";
  const { id, name } = operation;
  emit({ type: "operation:start", id, operation: name, hosts: calls.map(call => call.host.name), mode });
  return () => emit({ type: "operation:end", id, operation: name, seconds: seconds() });
}

/** A host that a run-once operation passes by: for it nothing changed. */
function skip(engine: Engine, operation: PlannedOperation, call: OperationCall, results: Results): void {
  call.completion = SKIPPED;
  results.add(operation, call.host, { outcome: "skipped", unfinished: false }, 0);
  const told = { id: operation.id, operation: operation.name, host: call.host.name };
  engine.settings.emit({ type: "operation:host:start", ...told });
  engine.settings.emit({
    type: "operation:host:end",
    ...told,
    outcome: "skipped",
    commands: 0,
    retryAttempts: 0,
    seconds: 0,
    nested: false,
  });
}
const SKIPPED: Completion = { outcome: "skipped", results: [], retryAttempts: 0 };

/** Hosts that do an operation at the same time. */
function batches(operation: PlannedOperation, calls: readonly OperationCall[]): readonly (readonly OperationCall[])[] {
  const size = operation.serial ? 1 : operation.parallel || calls.length || 1;
  return Array.from({ length: Math.ceil(calls.length / size) }, (_, index) =>
    calls.slice(index * size, (index + 1) * size),
  );
}

/** Stop when nobody is left, or more hosts failed than may. */
function checkFailures(engine: Engine): void {
  engine.settings.signal.throwIfAborted();
  engine.expectNothingLate();
  const error = tooManyFailed(engine);
  if (error) throw error;
}

/** Nobody is left, or more than `failPercent` of the hosts of the run failed, those included that could not be connected. */
export function tooManyFailed({ hosts, settings }: Engine): TooManyFailuresError | undefined {
  const failed = hosts.reduce((count, host) => (host.error ? count + 1 : count), 0);
  if (failed === 0) return undefined;
  if (failed === hosts.length)
    return new TooManyFailuresError(
      `No hosts remaining: ${failed === 1 ? "the only host" : `all ${failed} hosts`} failed`,
    );
  const { failPercent } = settings.config;
  const percent = (failed / hosts.length) * 100;
  if (failPercent === undefined || percent <= failPercent) return undefined;
  return new TooManyFailuresError(
    `${failed} of ${hosts.length} hosts failed (${Math.round(percent)} %), failPercent allows ${failPercent} %`,
  );
}
