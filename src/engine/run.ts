/** A run: its stages. @module */
import type { TooManyFailuresError, TsinfraError } from "../core/errors.ts";
import type { FactSource, HostIdentity } from "../core/host.ts";
import { Engine, goesAlone } from "./engine.ts";
import { ChangeLog } from "./host/change-log.ts";
import type { ProposedChange } from "./events.ts";
import type { Deploy, RunSettings } from "./settings.ts";
import { connectHosts, createHost, disconnectHosts } from "./stages/connect.ts";
import { execute, tooManyFailed } from "./stages/execute.ts";
import { participants, type PlannedOperation, plan, propose } from "./stages/plan.ts";
import { askFacts, prepare } from "./stages/prepare.ts";

/** A run in progress. The stages are called in this order; `disconnect` always, whatever happened before. */
export interface Run {
  /** Connect to all hosts in parallel. A host that cannot be reached fails alone. */
  connect(): Promise<void>;
  /**
   * Evaluate the deploys, one after the other, each on all hosts at once, and forecast every operation.
   * Rejects with a `TsinfraError` if what the user wrote is wrong; nothing has run then.
   */
  prepare(deploys: readonly Deploy[]): Promise<void>;
  /** What would change, in the order of execution. Emits `changes`, and `run:stopped` where it would not come to that. */
  propose(): readonly ProposedChange[];
  /** Time has passed, in which somebody was asked: what hosts answered by then is asked again. */
  forgetAnswers(): void;
  /** Run all operations. Emits `results`, also when it rejects with `TooManyFailuresError` or `CancelledError`. */
  execute(): Promise<void>;
  /** Close every connection. Never rejects. */
  disconnect(): Promise<void>;
  /** Throws `DeployError` if the user's code called an operation after its file had ended. */
  expectNothingLate(): void;
  /** Hosts that take part, in inventory order; with a connection, and not failed. */
  readonly activeHosts: readonly string[];
  readonly failedHosts: readonly string[];
  /** More hosts failed than may: `execute` will run nothing, and say so. */
  readonly hasTooManyFailed: boolean;
  /** Why hosts that are left do not do what they would. */
  readonly stopped: TooManyFailuresError | undefined;
  /** What hosts were sent before its turn, and may carry out though nobody waits for it any more. */
  readonly sentAhead: readonly { readonly host: string; readonly operation: string }[];
  /** Deploy files that have begun on a host and not ended. */
  readonly evaluating: readonly { readonly host: string; readonly file: string }[];
  /** Ask facts of all active hosts, for `tsinfra INVENTORY fact`: the answer per host; a fact that fails is an error there and does not fail the host. */
  facts(
    ask: (host: FactSource & HostIdentity) => Promise<unknown>,
  ): Promise<ReadonlyMap<string, { readonly answer: unknown } | { readonly error: TsinfraError }>>;
}

/** Begin a run. Nothing happens before its stages are called. */
export function createRun(settings: RunSettings): Run {
  // Without an order between hosts nobody can say what came first.
  const changes = settings.noWait ? undefined : new ChangeLog();
  const remembers = goesAlone(settings);
  const engine = new Engine(
    settings,
    settings.hosts.map(definition => createHost(settings, definition, { changes, remembers })),
  );
  let planned: readonly PlannedOperation[] = [];
  return {
    connect: () => connectHosts(engine),
    prepare: async deploys => {
      await prepare(engine, deploys);
      planned = plan(engine);
    },
    propose: () => {
      const proposed = propose(engine, planned);
      const error = tooManyFailed(engine);
      if (error && planned.some(operation => participants(operation).length > 0)) engine.stopBy(error);
      return proposed;
    },
    forgetAnswers: () => {
      for (const { facts } of engine.hosts) facts.forget();
    },
    execute: () => execute(engine, planned),
    disconnect: () => disconnectHosts(engine),
    expectNothingLate: () => engine.expectNothingLate(),
    get activeHosts() {
      return engine.activeHosts.map(host => host.name);
    },
    get failedHosts() {
      return engine.hosts.filter(host => host.error).map(host => host.name);
    },
    get hasTooManyFailed() {
      return tooManyFailed(engine) !== undefined;
    },
    get stopped() {
      return engine.stopped;
    },
    get sentAhead() {
      return engine.hosts.flatMap(host =>
        (host.ahead?.unanswered ?? []).map(({ name }) => ({ host: host.name, operation: name })),
      );
    },
    get evaluating() {
      return [...engine.evaluating].map(([{ name }, file]) => ({ host: name, file }));
    },
    facts: ask => askFacts(engine, ask),
  };
}
