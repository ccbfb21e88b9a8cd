/** What the parts of a run share. @module */
import type { ConnectorArguments, GlobalArguments } from "../core/arguments.ts";
import type { Config } from "../core/config.ts";
import { type CallSite, FactError, InventoryError, TsinfraError } from "../core/errors.ts";
import type { Fact } from "../core/fact.ts";
import type { Host } from "../core/host.ts";
import { nearest } from "../core/nearest.ts";
import type { Inventory, Logger, RunState } from "../core/scope.ts";
import { runDirect } from "./direct.ts";
import type { Stage } from "./events.ts";
import type { Declaration, HostState } from "./host-state.ts";
import { globalsOfData, type ResolvedArguments, resolveArguments, splitArguments, withArguments } from "./resolve.ts";
import type { RunSettings } from "./run.ts";
import { reportError } from "./report.ts";

/** From which place in a deploy something is asked of a host. */
export interface Place {
  readonly context: GlobalArguments;
  readonly config: Readonly<Config>;
  /** Defaults for host data. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

/** Whether hosts of such a run are sent operations ahead: none waits for another between them. */
export const goesAlone = ({ fast, hosts, noWait, serial }: RunSettings): boolean =>
  fast && (noWait || serial || hosts.length === 1);

/** The state of a run. */
export class Engine {
  readonly settings: RunSettings;
  /** Those that take part, in inventory order. */
  readonly hosts: readonly HostState[];
  /** Those of other controllers too. */
  readonly inventoryHosts: readonly HostState[];
  stage: Stage | "setup" = "setup";
  readonly #byName: ReadonlyMap<string, HostState>;
  readonly #deprecated = new Set<string>();
  readonly #declarations = new Map<string, Declaration>();
  readonly #secret = crypto.randomUUID();
  readonly #startedAt: number;

  constructor(settings: RunSettings, hosts: readonly HostState[]) {
    this.settings = settings;
    this.inventoryHosts = hosts;
    this.hosts = hosts.filter(host => !host.definition.isElsewhere);
    this.#startedAt = settings.clock.now();
    this.#byName = new Map(hosts.map(host => [host.name, host]));
  }

  /** Other controllers work on hosts of this inventory. */
  get isShared(): boolean {
    return this.hosts.length < this.inventoryHosts.length;
  }

  /** Among controllers that share an inventory and do not talk, the one with its first host does what is to be done once. */
  get isFirst(): boolean {
    return this.inventoryHosts[0] === this.hosts[0];
  }

  /** No host waits for another between operations. */
  get goesAlone(): boolean {
    return goesAlone(this.settings);
  }

  /** Names that nobody can guess from outside, the same for the same key during the run. */
  tempName(key: string | undefined): string {
    return new Bun.CryptoHasher("sha256")
      .update(`${this.#secret} ${key ?? crypto.randomUUID()}`)
      .digest("hex")
      .slice(0, 40);
  }

  /** The minute of the start, `yymmddHHMM`. */
  get timestamp(): string {
    return new Date(this.#startedAt).toISOString().replace(/\D/g, "").slice(2, 12);
  }

  get activeHosts(): readonly HostState[] {
    return this.hosts.filter(host => host.isActive);
  }

  /** Take a host out of the run. */
  fail(host: HostState, error: unknown, stage: Stage): void {
    if (host.error) return;
    host.error =
      error instanceof TsinfraError
        ? error
        : new FactError(error instanceof Error ? error.message : String(error), { host: host.name, cause: error });
    this.settings.emit({ type: "host:failed", host: host.name, stage, error: reportError(host.error) });
  }

  /** The arguments in force at a place in a deploy. */
  resolve(host: HostState, place: Place): ResolvedArguments {
    return resolveArguments({
      context: place.context,
      host: globalsOfData(`The data of host ${host.name}`, host.data(place.data)),
      config: place.config,
      inheritedEnv: this.inheritedEnv(place.config),
    });
  }

  /** Say once per run that an operation has a better one. */
  deprecated(operation: string, instead: string, at: CallSite | undefined): void {
    if (this.#deprecated.has(operation)) return;
    this.#deprecated.add(operation);
    const place = at ? ` (first at ${at.file}:${at.line}:${at.column})` : "";
    this.settings.emit({ type: "log", level: "warn", message: `${operation} is deprecated, use ${instead}${place}` });
  }

  /** The declaration of that identity: made once, shared by all hosts. */
  declaration(id: string, make: () => Declaration): Declaration {
    let known = this.#declarations.get(id);
    if (!known) this.#declarations.set(id, (known = make()));
    return known;
  }

  /** Ask a fact for a deploy file; connects the host if nothing has yet. */
  async ask<A extends object, T>(
    host: HostState,
    fact: Fact<A, T>,
    given: (A & ConnectorArguments) | undefined,
    place: Place,
  ): Promise<T> {
    const { own, globals } = splitArguments(`The fact ${fact.name}`, given ?? ({} as A), true);
    this.settings.checkArguments(fact.name, own, globals);
    return host.facts.ask(fact, own, withArguments(this.resolve(host, place), globals), place.config.factMaxAge);
  }

  inheritedEnv(config: Readonly<Config>): Readonly<Record<string, string>> {
    if (config.inheritEnv.length === 0) return NO_ENV;
    return Object.fromEntries(
      config.inheritEnv.flatMap(name => {
        const value = this.settings.environment[name];
        return value === undefined ? [] : [[name, value]];
      }),
    );
  }

  /** A host other than the current one, as a deploy file sees it: facts and data, no operations. */
  passiveHost(state: HostState): Host {
    const place = { context: {}, config: this.settings.config, data: [] };
    return {
      name: state.name,
      groups: state.groups,
      data: state.data(),
      getFact: (fact, ...[given]) => this.ask(state, fact, given, place),
      when: (_, body) => body(),
      withArguments: (_, body) => body(),
      loop: items => items,
      log: message => this.settings.emit({ type: "log", level: "info", message, host: state.name }),
      noop: () => {},
      run: (command, args) => runDirect(this, state, command, args ?? {}, place),
    };
  }

  inventory(facade: (host: HostState) => Host): Inventory {
    const hosts = this.inventoryHosts;
    const byName = this.#byName;
    const groups = (): string[] => [...new Set(hosts.flatMap(host => host.groups))].sort();
    return {
      get hosts() {
        return hosts.map(facade);
      },
      get groups() {
        return groups();
      },
      length: hosts.length,
      [Symbol.iterator]: () => hosts.map(facade)[Symbol.iterator](),
      getHost: name => facade(byName.get(name) ?? missing("host", name, byName.keys())),
      getGroup: name => {
        const members = hosts.filter(host => host.groups.includes(name));
        return (members.length > 0 ? members : missing("group", name, groups())).map(facade);
      },
    };
  }

  runState(): RunState {
    const engine = this;
    return {
      cwd: this.settings.cwd,
      get stage() {
        return engine.stage;
      },
      get isExecuting() {
        return engine.stage === "execute";
      },
      get failedHosts() {
        return engine.hosts.filter(host => host.error).map(host => host.name);
      },
    };
  }

  logger(host: string): Logger {
    const log = (level: "debug" | "info" | "warn" | "error") => (message: string) =>
      this.settings.emit({ type: "log", level, message, host });
    return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  }
}

const NO_ENV = {};

function missing(kind: "host" | "group", name: string, known: Iterable<string>): never {
  const near = nearest(name, known);
  throw new InventoryError(`There is no ${kind} "${name}" in the inventory`, {
    hint: near ? `The nearest is "${near}"` : undefined,
  });
}
