/** Counting outcomes, by operation and by host. @module */
import type { OutcomeType } from "./events.ts";

/** How often each outcome came. */
export type Counts = Readonly<Record<OutcomeType, number>>;

/** What came of one operation. */
export interface OperationCounts extends Counts {
  /** The longest that one host took. */
  readonly seconds: number;
  /** Hosts where it sent commands and did not succeed. */
  readonly unfinished: number;
}

/** How one operation ended on one host. */
export interface Counted {
  readonly outcome: OutcomeType;
  readonly seconds: number;
  readonly unfinished?: boolean | undefined;
}

/** The outcomes of a run. `Operation` and `Host` are whatever tells them apart. */
export class Tally<Operation, Host> {
  readonly #operations = new Map<Operation, Writable<OperationCounts>>();
  readonly #hosts = new Map<Host, Writable<Counts>>();

  add(operation: Operation, host: Host, { outcome, seconds, unfinished = false }: Counted): void {
    const ofOperation = entry(this.#operations, operation, noOperationCounts);
    ofOperation[outcome]++;
    if (unfinished) ofOperation.unfinished++;
    ofOperation.seconds = Math.max(ofOperation.seconds, seconds);
    entry(this.#hosts, host, noCounts)[outcome]++;
  }

  ofOperation(operation: Operation): OperationCounts {
    return this.#operations.get(operation) ?? noOperationCounts();
  }

  ofHost(host: Host): Counts {
    return this.#hosts.get(host) ?? noCounts();
  }

  /** Those that something was counted of, in the order in which that began. */
  get hosts(): Iterable<Host> {
    return this.#hosts.keys();
  }
}

/** All outcomes together. */
export const total = ({ changed, unchanged, skipped, failed, ignored, interrupted }: Counts): number =>
  changed + unchanged + skipped + failed + ignored + interrupted;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const noCounts = (): Writable<Counts> => ({
  changed: 0,
  unchanged: 0,
  skipped: 0,
  failed: 0,
  ignored: 0,
  interrupted: 0,
});
const noOperationCounts = (): Writable<OperationCounts> => ({ ...noCounts(), seconds: 0, unfinished: 0 });

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
