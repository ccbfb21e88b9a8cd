/** From what the hosts declared to one order of operations. @module */
import type { CallSite } from "../core/errors.ts";
import type { Engine } from "./engine.ts";
import type { ProposedChange } from "./events.ts";
import type { HostState, OperationCall } from "./host-state.ts";
import { mergeOrder } from "./order.ts";

/** One operation in the common order, with what each of its hosts declared. */
export interface PlannedOperation {
  readonly id: string;
  readonly name: string;
  readonly at: CallSite | undefined;
  readonly calls: ReadonlyMap<HostState, OperationCall>;
  readonly runOnce: boolean;
  readonly serial: boolean;
  /** Hosts at once; `0` means as many as the run allows. */
  readonly parallel: number;
}

/** Merge the hosts' sequences. */
export function plan(engine: Engine): readonly PlannedOperation[] {
  const hosts = engine.hosts;
  const byId = hosts.map(host => new Map(host.calls.map(call => [call.id, call])));
  return mergeOrder(hosts.map(host => host.calls)).map(({ id, hosts: indexes }, place) => {
    const calls = new Map(indexes.map(index => [hosts[index]!, byId[index]!.get(id)!]));
    const first = calls.values().next().value!;
    const names = new Set([...calls.values()].map(call => call.name));
    const { _runOnce = false, _serial = false, _parallel = 0 } = first.how.all;
    return { id: String(place + 1), name: [...names].slice(0, NAMES).join(", "), at: first.at, calls, runOnce: _runOnce, serial: _serial, parallel: _parallel };
  });
}
/** Hosts may name the same operation differently; more names than this make no readable line. */
const NAMES = 3;

/** The hosts of an operation that take part in it now: one for a run-once operation. */
export function participants(operation: PlannedOperation): HostState[] {
  const active = [...operation.calls.keys()].filter(host => host.isActive);
  return operation.runOnce ? active.slice(0, 1) : active;
}

/** What would change. Rows without any host that would change are kept: they are what nothing needs doing for. */
export function propose(engine: Engine, planned: readonly PlannedOperation[]): readonly ProposedChange[] {
  const proposed = planned.map(operation => {
    const hosts = participants(operation);
    const wouldChange = hosts.filter(host => operation.calls.get(host)!.willChange);
    const isConditional = (host: HostState): boolean => [operation.calls.get(host)!.how.all._if ?? []].flat().length > 0;
    const names = (list: readonly HostState[]): string[] => list.map(host => host.name);
    return {
      operation: operation.name,
      id: operation.id,
      ...(operation.at ? { at: operation.at } : {}),
      change: names(wouldChange.filter(host => !isConditional(host))),
      conditional: names(wouldChange.filter(isConditional)),
      unchanged: names(hosts.filter(host => !wouldChange.includes(host))),
    };
  });
  engine.settings.emit({ type: "changes", proposed });
  return proposed;
}
