/** One order of operations for all hosts, made of each host's own order. Pure. @module */

/** An operation as one host declared it. */
export interface Declared {
  /** The same on every host that declared the same operation; unique within a host. */
  readonly id: string;
  /** Where it stands in the user's files; decides between operations that no host's order decides. */
  readonly position: readonly number[];
}

/** One operation in the common order. */
export interface Placed {
  readonly id: string;
  /** Indexes of the hosts that run it here, ascending. */
  readonly hosts: readonly number[];
}

/**
 * Merge the hosts' sequences into one order.
 * Every host's own order is kept. An operation that several hosts declared is placed once, unless their orders
 * contradict each other: then it is placed again for the hosts that come to it later.
 * The result depends on nothing but the argument. Time grows with n log n in the number of declarations.
 */
export function mergeOrder(sequences: readonly (readonly Declared[])[]): Placed[] {
  const entries = new Map<string, Entry>();
  for (const sequence of sequences) {
    for (const declared of sequence) {
      const entry = entries.get(declared.id);
      if (entry) entry.waiting++;
      else entries.set(declared.id, { ...declared, waiting: 1, atHead: [] });
    }
  }
  const next = sequences.map(() => 0);
  // Every host stands at one operation. It can be placed when all hosts that still have it stand there.
  const ready = new Heap();
  const standing = new Heap();
  const advance = (host: number): void => {
    const declared = sequences[host]?.[next[host]!++];
    if (!declared) return;
    const entry = entries.get(declared.id)!;
    entry.atHead.push(host);
    if (entry.atHead.length === entry.waiting) ready.push(entry);
    if (entry.atHead.length === 1) standing.push(entry);
  };
  sequences.forEach((_, host) => advance(host));

  const order: Placed[] = [];
  for (;;) {
    const entry = ready.pop() ?? popStanding(standing);
    if (!entry) return order;
    if (entry.atHead.length === 0) continue;
    const hosts = entry.atHead.sort((a, b) => a - b);
    entry.waiting -= hosts.length;
    entry.atHead = [];
    order.push({ id: entry.id, hosts });
    for (const host of hosts) advance(host);
  }
}

interface Entry extends Declared {
  /** Hosts that have not run it yet. */
  waiting: number;
  /** Hosts whose next operation it is. */
  atHead: number[];
}

/** The hosts contradict each other: the first of the operations they stand at goes ahead, for those hosts alone. */
function popStanding(standing: Heap): Entry | undefined {
  for (;;) {
    const entry = standing.pop();
    if (!entry || entry.atHead.length > 0) return entry;
  }
}

const before = (a: Entry, b: Entry): boolean => {
  for (let i = 0; i < a.position.length && i < b.position.length; i++) {
    if (a.position[i] !== b.position[i]) return a.position[i]! < b.position[i]!;
  }
  return a.position.length !== b.position.length ? a.position.length < b.position.length : a.id < b.id;
};

/** A binary heap: the first by `before` comes out first. */
class Heap {
  readonly #items: Entry[] = [];

  push(item: Entry): void {
    let at = this.#items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, this.#items[parent]!)) break;
      this.#items[at] = this.#items[parent]!;
      at = parent;
    }
    this.#items[at] = item;
  }

  pop(): Entry | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (!top || !last || this.#items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#items.length) break;
      if (child + 1 < this.#items.length && before(this.#items[child + 1]!, this.#items[child]!)) child++;
      if (!before(this.#items[child]!, last)) break;
      this.#items[at] = this.#items[child]!;
      at = child;
    }
    this.#items[at] = last;
    return top;
  }
}
