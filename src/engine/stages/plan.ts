/** From what the hosts declared to one order of operations. @module */
import type { CallSite } from "../../core/errors.ts";
import type { Engine } from "../engine.ts";
import { keyOf } from "../host/arguments.ts";
import type { ProposedChange } from "../events.ts";
import type { OperationCall } from "../host-state.ts";
import { mergeOrder } from "./order.ts";

/** One operation in the common order, with what each of its hosts declared. */
export interface PlannedOperation {
  readonly id: string;
  readonly name: string;
  readonly at: CallSite | undefined;
  /** In inventory order. */
  readonly calls: readonly OperationCall[];
  readonly runOnce: boolean;
  /** It is to run once, and another controller does it. */
  readonly isElsewhere: boolean;
  /** Where controllers share an inventory: what this operation is called on each of them. */
  readonly key?: string;
  readonly serial: boolean;
  /** Hosts at once; `0` means as many as the run allows. */
  readonly parallel: number;
}

/** Merge the hosts' sequences. */
export function plan(engine: Engine): readonly PlannedOperation[] {
  const { hosts } = engine;
  const order = mergeOrder(hosts.map(host => host.calls.map(call => call.declaration)));
  // The order keeps every host's own: each host's next call is the one that is placed.
  const next = hosts.map(() => 0);
  const planned = order.map(({ hosts: indexes }, place) => {
    const calls = indexes.map(index => hosts[index]!.calls[next[index]!++]!);
    const first = calls[0]!;
    const { _runOnce = false, _serial = false, _parallel = 0 } = first.how.all;
    return {
      id: String(place + 1),
      name: commonName(calls),
      at: first.at,
      calls,
      runOnce: _runOnce,
      isElsewhere: _runOnce && !engine.isFirst,
      serial: _serial,
      parallel: _parallel,
      ...(engine.isShared ? { key: keyOfOperation(first.declaration.id, engine.settings.cwd) } : {}),
    };
  });
  const { noWait } = engine.settings;
  if (noWait && hosts.length > 1)
    warnOfLimits(
      engine,
      planned,
      "_serial and _parallel do not count with --no-wait: hosts do not wait for each other",
    );
  else if (engine.isShared)
    warnOfLimits(
      engine,
      planned,
      "_serial and _parallel hold within this shard: other shards do the same at the same time",
    );
  for (const operation of planned)
    if (operation.runOnce && !operation.isElsewhere) warnOfDifferences(engine, operation);
  return planned;
}

/** The declaration's identity, without what differs from controller to controller. */
const keyOfOperation = (id: string, cwd: string): string =>
  new Bun.CryptoHasher("sha256")
    .update(id.replaceAll(`${cwd}/`, ""))
    .digest("hex")
    .slice(0, 16);

/** Who limits how many hosts do something at once should know where that does not hold. */
function warnOfLimits(engine: Engine, planned: readonly PlannedOperation[], why: string): void {
  const limited = planned
    .filter(operation => !operation.runOnce && (operation.serial || operation.parallel > 0))
    .map(operation => `"${operation.name}"`);
  if (limited.length === 0) return;
  const names = [...limited.slice(0, NAMES), ...(limited.length > NAMES ? ["…"] : [])].join(", ");
  engine.settings.emit({
    type: "log",
    level: "warn",
    message: `${why} (${names})`,
  });
}

/** Of hosts that ask for different things only one gets what it asks for. */
function warnOfDifferences(engine: Engine, { calls, name }: PlannedOperation): void {
  const [first, ...others] = calls.map(call => [call.name, ...Object.entries(call.args).map(textOf)].join("\n"));
  if (others.every(other => other === first)) return;
  const message = `"${name}" runs on one host alone (_runOnce), but the hosts name it differently or give it different arguments: it runs as that host has it`;
  engine.settings.emit({ type: "log", level: "warn", message });
}

/** Equal for equal arguments, as far as they can be compared: functions cannot. */
function textOf([name, value]: readonly [name: string, value: unknown]): string {
  try {
    return `${name}=${keyOf(value)}`;
  } catch {
    // An object that holds itself has no text.
    return name;
  }
}

/** Hosts may name the same operation differently; more names than a few make no readable line. */
function commonName(calls: readonly OperationCall[]): string {
  const names = new Set<string>();
  for (const { name } of calls) {
    if (names.size === NAMES && !names.has(name)) return `${[...names].join(", ")}, …`;
    names.add(name);
  }
  return [...names].join(", ");
}
const NAMES = 3;

/** The calls of an operation whose hosts take part in it now: one for a run-once operation. */
export function participants(operation: PlannedOperation): readonly OperationCall[] {
  if (operation.isElsewhere) return [];
  const active = operation.calls.filter(call => call.host.isActive);
  return operation.runOnce ? active.slice(0, 1) : active;
}

/** What would change. Rows without any host that would change are kept: they are what nothing needs doing for. */
export function propose(engine: Engine, planned: readonly PlannedOperation[]): readonly ProposedChange[] {
  const names = (calls: readonly OperationCall[]): string[] => calls.map(call => call.host.name);
  const proposed = planned.map(operation => {
    const calls = participants(operation);
    const changing = calls.filter(call => call.willChange);
    return {
      operation: operation.name,
      id: operation.id,
      ...(operation.key === undefined ? {} : { key: operation.key }),
      ...(operation.at ? { at: operation.at } : {}),
      change: names(changing.filter(call => !call.isConditional)),
      conditional: names(changing.filter(call => call.isConditional)),
      unchanged: names(calls.filter(call => !call.willChange)),
    };
  });
  const direct = engine.hosts.filter(host => host.directCommands > 0).map(host => host.name);
  engine.settings.emit({ type: "changes", proposed, ...(direct.length > 0 ? { direct } : {}) });
  return proposed;
}
