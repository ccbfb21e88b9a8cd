/** One host during a run: its data, its connection, what it declared. @module */
import type { Config } from "../core/config.ts";
import type { CallSite, TsinfraError } from "../core/errors.ts";
import type { HostData } from "../core/host-data.ts";
import type { Operation } from "../core/operation.ts";
import type { RunAhead } from "./ahead.ts";
import { conditionsIn } from "./conditions.ts";
import { layeredData } from "./host-data.ts";
import type { Declared } from "./order.ts";
import type { Facts } from "./facts.ts";
import { Handle, type HandleSource } from "./handle.ts";
import type { ResolvedArguments } from "./resolve.ts";
import type { HostDefinition } from "./run.ts";
import type { Session } from "./session.ts";

/** An operation as deploy files declare it: one object for all hosts. */
export interface Declaration extends Declared {
  readonly at: CallSite | undefined;
}

/** An operation as one host declared it, with everything its turn needs. */
export class OperationCall implements HandleSource {
  readonly host: HostState;
  readonly declaration: Declaration;
  /** This host's own: an operation made inside a deploy file closes over that host's variables. */
  readonly operation: Operation<object>;
  /** The operation's own arguments. */
  readonly args: object;
  readonly how: ResolvedArguments;
  readonly config: Readonly<Config>;
  /** For output, with the names of the deploys around it. */
  readonly name: string;
  readonly data: HostData;
  /** Its place among the host's calls. */
  readonly index: number;
  readonly handle: Handle;
  /** The questions of its forecast, where hosts go alone. */
  asked: ReadonlySet<string> = NO_QUESTIONS;
  /** Some of its arguments are conditions. */
  readonly hasConditions: boolean;
  /** What the conditions among its arguments answer does not decide whether it changes something. Known with the forecast. */
  changesAnyway = false;
  readonly #declaring: Declaring;
  /** The forecast while it is made, then its answer. */
  #forecast: Promise<boolean> | boolean = false;

  constructor(
    init: Pick<OperationCall, "host" | "declaration" | "operation" | "args" | "how" | "config" | "name" | "data">,
    declaring: Declaring,
  ) {
    this.host = init.host;
    this.declaration = init.declaration;
    this.operation = init.operation;
    this.args = init.args;
    this.how = init.how;
    this.config = init.config;
    this.name = init.name;
    this.data = init.data;
    this.index = init.host.calls.length;
    this.handle = new Handle(this);
    this.hasConditions = conditionsIn(this).length > 0;
    this.#declaring = declaring;
  }

  get at(): CallSite | undefined {
    return this.declaration.at;
  }
  /** A condition decides whether it does anything. */
  get isConditional(): boolean {
    return [this.how.all._if ?? []].flat().length > 0 || (this.hasConditions && !this.changesAnyway);
  }
  /** The forecast's answer, once known. */
  get willChange(): boolean {
    return this.#forecast === true;
  }
  /** Wait for the forecast. Rejects with what it threw. */
  forecast(): Promise<boolean> {
    return Promise.resolve(this.#forecast);
  }
  settled(): Promise<unknown> {
    return this.#declaring.settled(this);
  }
  /** Remember a forecast that has begun. */
  forecastBy(forecast: Promise<boolean>): void {
    this.#forecast = forecast;
    // Who prepares looks at every forecast; until then a rejection is nobody's.
    forecast.then(
      answer => (this.#forecast = answer),
      () => undefined,
    );
  }
}

const NO_QUESTIONS: ReadonlySet<string> = new Set();

/** What happens to an operation once it is declared. */
export interface Declaring {
  /** While preparing: remember it, begin its forecast. In a callback: run it at once. */
  declare(call: OperationCall): void;
  /** What awaiting its handle waits for. */
  settled(call: OperationCall): Promise<unknown>;
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
  /** What was sent to it ahead of its turn. */
  ahead: RunAhead | undefined;
  readonly #overrides: Record<string, unknown> = {};
  /** Grows with every assignment to the host's data. */
  dataVersion = 0;

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
    return layeredData(this.name, [this.#overrides, ...this.definition.data, ...defaults], (key, value) => {
      this.#overrides[key] = value;
      this.dataVersion++;
    });
  }
}
