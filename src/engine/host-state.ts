/** One host during a run: its data, its connection, what it declared. @module */
import type { GlobalArguments } from "../core/arguments.ts";
import type { Config } from "../core/config.ts";
import type { CallSite, ConnectionLostError, TsinfraError } from "../core/errors.ts";
import type { CommandResult } from "../core/host.ts";
import type { HostData } from "../core/host-data.ts";
import type { Operation } from "../core/operation.ts";
import type { Shell } from "../core/command.ts";
import type { OutputStream } from "../core/connector.ts";
import type { OutcomeType } from "./events.ts";
import type { ResolvedArguments } from "./host/arguments.ts";
import type { Facts } from "./host/facts.ts";
import type { Ran } from "./host/sending.ts";
import type { Session } from "./host/session.ts";
import { layeredData, OwnData } from "./host-data.ts";
import type { HostDefinition } from "./settings.ts";

/** An operation as deploy files declare it: one object for all hosts. */
export interface Declaration {
  /** The same on every host that declared the same operation; unique within a host. */
  readonly id: string;
  /** Where it stands in the user's files. */
  readonly position: readonly number[];
  readonly at: CallSite | undefined;
}

/** How an operation ended on one host. */
export interface Completion {
  readonly outcome: OutcomeType;
  /** How the last attempt's shell commands ended. Of what they printed less may be left when others have printed much. */
  results: readonly CommandResult[];
  readonly retryAttempts: number;
}

/** Operations of one host that were sent before their turn. */
export interface SentAhead {
  /** What was sent for an operation; `undefined`: it waits for its turn. */
  take(call: OperationCall): Promise<SentOperation | undefined>;
  /** Operations that are on their way to the host, or have run there, and nobody has looked at what came of them. */
  readonly unanswered: readonly OperationCall[];
  /** Operations whose commands have begun on the host, or may have, though nobody has looked at what came of them. */
  begun(): Promise<readonly OperationCall[]>;
}

/** One operation that was sent before its turn. */
export interface SentOperation {
  readonly steps: readonly SentStep[];
  /** Why it does nothing. */
  readonly noopReason: string | undefined;
  /**
   * Its turn has come, and nothing before it failed. `onBegin` is called when it runs, `onOutput` with what it prints.
   * Returns how its commands ended, up to the first that failed; `undefined` if it has not run.
   */
  results(
    signal: AbortSignal,
    onBegin: () => void,
    onOutput: (stream: OutputStream, chunk: Uint8Array) => void | Promise<void>,
  ): Promise<readonly Ran[] | undefined>;
  /** Of its commands, those that had ended when its results were rejected. */
  readonly hadEnded: readonly Ran[];
}

/** One command of an operation, as it is sent and as it is told. */
export interface SentStep {
  readonly command: Shell;
  readonly text: string;
  /** Where it is an upload. */
  readonly upload?: { readonly dest: string; readonly size: number };
}

/** An operation as one host declared it, with everything its turn needs. */
export class OperationCall {
  readonly host: HostState;
  readonly declaration: Declaration;
  /** This host's own: an operation made inside a deploy file closes over that host's variables. */
  readonly operation: Operation<object>;
  /** The operation's own arguments. */
  readonly args: object;
  readonly how: ResolvedArguments;
  /** What of it the deploy file says, and neither host data nor `config`: in the blocks around the call, and in the call. */
  readonly said: readonly [blocks: GlobalArguments, call: GlobalArguments];
  readonly config: Readonly<Config>;
  /** For output, with the names of the deploys around it. */
  readonly name: string;
  readonly data: HostData;
  /** Its place among the host's calls. */
  readonly index: number;
  /** How it ended, once it has. */
  completion: Completion | undefined;
  /** The questions of its forecast, where hosts go alone. */
  asked: ReadonlySet<string> = NO_QUESTIONS;
  /** Its turn has come. */
  hasBegun = false;
  /** What its callbacks have declared, in this try. */
  nested: OperationCall[] = [];
  /** Some of its arguments are conditions. */
  readonly hasConditions: boolean;
  /** What the conditions among its arguments answer does not decide whether it changes something. Known with the forecast. */
  changesAnyway = false;
  readonly #declaring: Declaring;
  /** The forecast while it is made, then its answer. */
  #forecast: Promise<boolean> | boolean = false;

  constructor(
    init: Pick<
      OperationCall,
      "host" | "declaration" | "operation" | "args" | "how" | "said" | "config" | "name" | "data" | "hasConditions"
    >,
    declaring: Declaring,
  ) {
    this.host = init.host;
    this.declaration = init.declaration;
    this.operation = init.operation;
    this.args = init.args;
    this.how = init.how;
    this.said = init.said;
    this.config = init.config;
    this.name = init.name;
    this.data = init.data;
    this.index = init.host.calls.length;
    this.hasConditions = init.hasConditions;
    this.#declaring = declaring;
  }

  get at(): CallSite | undefined {
    return this.declaration.at;
  }
  /** Whether it does anything is decided when its turn comes: by a condition, or because its forecast failed and that may be ignored. */
  get isConditional(): boolean {
    return this.#isUnknown || [this.how.all._if ?? []].flat().length > 0 || (this.hasConditions && !this.changesAnyway);
  }
  /** The forecast's answer, once known. */
  get willChange(): boolean {
    return this.#forecast === true;
  }
  get isForecast(): boolean {
    return typeof this.#forecast === "boolean";
  }
  /** Wait for the forecast: whether it would run at least one command. Rejects with what it threw. */
  forecast(): Promise<boolean> {
    return Promise.resolve(this.#forecast);
  }
  /** What `await` of its handle waits for: the forecast while preparing, the run inside a callback. */
  settled(): Promise<unknown> {
    return this.#declaring.settled(this);
  }
  /** A callback declared it: it runs while the callback does. */
  get isNested(): boolean {
    return this.#declaring.haveRun !== undefined;
  }
  /** Its forecast failed, and its turn decides. */
  leaveToTurn(): void {
    this.#isUnknown = true;
  }
  #isUnknown = false;

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
  /** In a callback: until the operations that it has declared so far have run. Rejects if one of them failed. */
  haveRun?(): Promise<unknown>;
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
  /** The run has ended for it. */
  isDisconnected = false;
  /** Commands that `host.run` sent while preparing. */
  directCommands = 0;
  /** Commands that could not be ended in time, and may still run there. */
  leftRunning = 0;
  /** What was sent to it ahead of its turn. */
  ahead: SentAhead | undefined;
  /** What was sent ahead on a connection that was lost, or to a shell that was given up: it may have run, and its turn will not come. */
  readonly lost = new Map<OperationCall, ConnectionLostError>();
  readonly #ownData: OwnData;
  /** Grows with every assignment to the host's data. */
  dataVersion = 0;

  constructor(definition: HostDefinition, session: Session, facts: Facts) {
    this.definition = definition;
    this.#ownData = new OwnData(definition.data);
    this.name = definition.name;
    this.groups = definition.groups.includes("all") ? definition.groups : [...definition.groups, "all"];
    this.session = session;
    this.facts = facts;
  }

  get isActive(): boolean {
    return this.isConnected && this.error === undefined;
  }

  /** Remember what is declared, and the data. Returns what to call to have no more declared, and the data as it was. */
  mark(): () => void {
    const count = this.calls.length;
    const occurrences = new Map(this.occurrences);
    const restoreData = this.#ownData.mark();
    return () => {
      restoreData();
      this.dataVersion++;
      this.calls.length = count;
      this.occurrences.clear();
      for (const [key, times] of occurrences) this.occurrences.set(key, times);
    };
  }

  /** Data by precedence: set during the run, then the inventory's layers, then `defaults` (innermost first). */
  data(defaults: readonly Readonly<Record<string, unknown>>[] = []): HostData {
    const own = this.#ownData;
    return layeredData(
      this.name,
      [own.assigned, ...this.definition.data, ...defaults],
      (key, value) => {
        own.assigned[key] = value;
        this.dataVersion++;
      },
      (layer, key) => own.read(layer, key),
    );
  }
}
