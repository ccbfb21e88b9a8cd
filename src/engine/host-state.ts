/** One host during a run: its data, its connection, what it declared. @module */
import type { Config } from "../core/config.ts";
import type { TsinfraError } from "../core/errors.ts";
import type { HostData } from "../core/host.ts";
import type { Operation } from "../core/operation.ts";
import type { CallSite } from "../core/errors.ts";
import type { Declared } from "./order.ts";
import type { Facts } from "./facts.ts";
import type { Handle } from "./handle.ts";
import type { ResolvedArguments } from "./resolve.ts";
import type { HostDefinition } from "./run.ts";
import type { Session } from "./session.ts";

/** An operation as one host declared it, with everything its turn needs. */
export interface OperationCall extends Declared {
  readonly host: HostState;
  readonly operation: Operation<object>;
  /** The operation's own arguments. */
  readonly args: object;
  readonly how: ResolvedArguments;
  readonly config: Readonly<Config>;
  /** For output, with the names of the deploys around it. */
  readonly name: string;
  readonly at: CallSite | undefined;
  readonly data: HostData;
  readonly handle: Handle;
  forecast: Promise<boolean>;
  /** The forecast's answer, once known. */
  willChange: boolean;
}

/** One host. */
export class HostState {
  readonly definition: HostDefinition;
  readonly name: string;
  /** `all` included, in the order listed. */
  readonly groups: readonly string[];
  readonly session: Session;
  readonly facts: Facts;
  /** In call order. */
  readonly calls: OperationCall[] = [];
  /** How many times each operation was declared. */
  readonly occurrences = new Map<string, number>();
  /** Set when the host takes no further part. */
  error: TsinfraError | undefined;
  isConnected = false;
  readonly #overrides: Record<string, unknown> = {};

  constructor(definition: HostDefinition, session: Session, facts: Facts) {
    this.definition = definition;
    this.name = definition.name;
    this.groups = definition.groups.includes("all") ? definition.groups : [...definition.groups, "all"];
    this.session = session;
    this.facts = facts;
  }

  get isActive(): boolean {
    return this.isConnected && this.error === undefined;
  }

  /** Data by precedence: set during the run, then the inventory's layers, then `defaults` (innermost first). */
  data(defaults: readonly Readonly<Record<string, unknown>>[] = []): HostData {
    return layeredData([this.#overrides, ...this.definition.data, ...defaults], this.#overrides);
  }
}

/** An object that reads through layers, strongest first, and writes to `overrides`. */
export function layeredData(layers: readonly Readonly<Record<string, unknown>>[], overrides: Record<string, unknown>): HostData {
  const layerOf = (key: PropertyKey): Readonly<Record<string, unknown>> | undefined => layers.find(layer => Object.hasOwn(layer, key));
  return new Proxy<HostData>(Object.create(null) as HostData, {
    get: (_, key) => layerOf(key)?.[key as string],
    has: (_, key) => layerOf(key) !== undefined,
    ownKeys: () => [...new Set(layers.flatMap(layer => Object.keys(layer)))],
    getOwnPropertyDescriptor: (_, key) =>
      layerOf(key) && { value: layerOf(key)?.[key as string], enumerable: true, configurable: true, writable: true },
    set: (_, key, value) => {
      overrides[key as string] = value;
      return true;
    },
  });
}
