/** The fourth stage: operations run, in order, by one of three strategies. @module */
import { CancelledError, TooManyFailuresError } from "../core/errors.ts";
import type { Engine } from "./engine.ts";
import type { HostState } from "./host-state.ts";
import { perform } from "./perform.ts";
import { participants, type PlannedOperation } from "./plan.ts";
import { forEachHost } from "./pool.ts";
import { Results } from "./results.ts";

/** Run all operations and emit the results, however it ends. */
export async function execute(engine: Engine, planned: readonly PlannedOperation[]): Promise<void> {
  const { clock, emit, noWait, serial, signal } = engine.settings;
  const started = clock.now();
  engine.stage = "execute";
  const results = new Results(planned);
  emit({ type: "stage:start", stage: "execute", hosts: engine.activeHosts.length });
  try {
    if (noWait) await withoutWaiting(engine, planned, results);
    else if (serial) await hostByHost(engine, planned, results);
    else await operationByOperation(engine, planned, results);
    signal.throwIfAborted();
  } catch (error) {
    throw signal.aborted && !(error instanceof CancelledError) ? new CancelledError("The run was interrupted", { cause: error }) : error;
  } finally {
    const seconds = (clock.now() - started) / 1000;
    emit({ type: "stage:end", stage: "execute", seconds });
    emit(results.event(engine.hosts, seconds));
  }
}

/** All hosts do one operation, then all the next. */
async function operationByOperation(engine: Engine, planned: readonly PlannedOperation[], results: Results): Promise<void> {
  for (const operation of planned) {
    const hosts = participants(operation);
    if (hosts.length === 0) continue;
    const finish = announce(engine, operation, hosts);
    skipOthers(engine, operation, hosts, results);
    for (const batch of batches(operation, hosts)) {
      await forEachHost(batch, limit(engine, operation), host => runOn(engine, operation, host, results));
      checkFailures(engine);
    }
    finish();
  }
}

/** One host does all its operations, then the next host. */
async function hostByHost(engine: Engine, planned: readonly PlannedOperation[], results: Results): Promise<void> {
  for (const host of engine.activeHosts) {
    await allOf(engine, planned, host, results);
    checkFailures(engine);
  }
}

/** Every host does its operations at its own pace. */
async function withoutWaiting(engine: Engine, planned: readonly PlannedOperation[], results: Results): Promise<void> {
  await forEachHost(engine.activeHosts, engine.settings.config.parallel, async host => {
    await allOf(engine, planned, host, results);
    checkFailures(engine);
  });
}

async function allOf(engine: Engine, planned: readonly PlannedOperation[], host: HostState, results: Results): Promise<void> {
  for (const operation of planned) {
    if (!host.isActive || engine.settings.signal.aborted) return;
    if (!operation.calls.has(host)) continue;
    // The first host that comes to it has it; no host waits to see whether another will.
    if (operation.runOnce && results.hasRun(operation)) {
      skip(engine, operation, host, results);
      continue;
    }
    const finish = announce(engine, operation, [host]);
    await runOn(engine, operation, host, results);
    finish();
  }
}

async function runOn(engine: Engine, operation: PlannedOperation, host: HostState, results: Results): Promise<void> {
  const { clock } = engine.settings;
  const started = clock.now();
  results.begin(operation);
  const outcome = await perform(engine, operation.calls.get(host)!, operation.id);
  results.add(operation, host, outcome, (clock.now() - started) / 1000);
}

function announce(engine: Engine, operation: PlannedOperation, hosts: readonly HostState[]): () => void {
  const { clock, emit } = engine.settings;
  const started = clock.now();
  const mode = operation.runOnce ? "run once" : operation.serial ? "serial" : "parallel";
  const { id, name } = operation;
  emit({ type: "operation:start", id, operation: name, hosts: hosts.map(host => host.name), mode });
  return () => emit({ type: "operation:end", id, operation: name, seconds: (clock.now() - started) / 1000 });
}

/** Hosts that a run-once operation passes by: for them it did not change anything. */
function skipOthers(engine: Engine, operation: PlannedOperation, hosts: readonly HostState[], results: Results): void {
  if (!operation.runOnce) return;
  for (const host of operation.calls.keys()) if (host.isActive && !hosts.includes(host)) skip(engine, operation, host, results);
}

function skip(engine: Engine, operation: PlannedOperation, host: HostState, results: Results): void {
  operation.calls.get(host)!.handle.complete({ outcome: "skipped", stdoutLines: [], stderrLines: [], retryAttempts: 0 });
  results.add(operation, host, "skipped", 0);
  const { id, name } = operation;
  engine.settings.emit({ type: "operation:host:end", id, operation: name, host: host.name, outcome: "skipped", commands: 0, retryAttempts: 0, seconds: 0, nested: false });
}

function batches(operation: PlannedOperation, hosts: readonly HostState[]): readonly (readonly HostState[])[] {
  const size = operation.serial ? 1 : operation.parallel || hosts.length;
  return Array.from({ length: Math.ceil(hosts.length / size) }, (_, index) => hosts.slice(index * size, (index + 1) * size));
}

const limit = (engine: Engine, operation: PlannedOperation): number => (operation.serial ? 1 : engine.settings.config.parallel);

/** Stop when nobody is left, or more than `failPercent` of the hosts that were connected failed. */
function checkFailures(engine: Engine): void {
  engine.settings.signal.throwIfAborted();
  const { failPercent } = engine.settings.config;
  const connected = engine.hosts.filter(host => host.isConnected);
  const failed = connected.filter(host => host.error).length;
  if (failed === 0) return;
  if (failed === connected.length) throw new TooManyFailuresError(`No hosts remaining: ${failed === 1 ? "the only host" : `all ${failed} hosts`} failed`);
  const percent = (failed / connected.length) * 100;
  if (failPercent !== undefined && percent > failPercent) {
    throw new TooManyFailuresError(`${failed} of ${connected.length} hosts failed (${Math.round(percent)} %), failPercent allows ${failPercent} %`);
  }
}
