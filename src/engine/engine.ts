/** What the parts of a run share. @module */
import type { ConnectorArguments, GlobalArguments } from "../core/arguments.ts";
import type { Config } from "../core/config.ts";
import {
  type CallSite,
  ConnectError,
  type DeployError,
  FactError,
  type TooManyFailuresError,
  TsinfraError,
} from "../core/errors.ts";
import { checkQuestion, type Fact, type FactCallArguments } from "../core/fact.ts";
import { logged } from "../core/logged.ts";
import type { Logger, RunState } from "../core/scope.ts";
import { hasKeys } from "../core/kind.ts";
import type { Stage } from "./events.ts";
import type { Declaration, HostState } from "./host-state.ts";
import {
  globalsOfData,
  type ResolvedArguments,
  resolveArguments,
  splitArguments,
  overrideArguments,
} from "./host/arguments.ts";
import { KeptResults } from "./kept-results.ts";
import type { HostDefinition, RunSettings } from "./settings.ts";
import { reportError, threw } from "./report.ts";

/** From which place in a deploy something is asked of a host. */
export interface DeployPoint {
  readonly context: GlobalArguments;
  readonly config: Readonly<Config>;
  /** Defaults for host data. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

/** Whether hosts of such a run are sent operations ahead: none waits for another between them. */
export const goesAlone = ({
  config,
  fast,
  hosts,
  noWait,
  serial,
}: Pick<RunSettings, "config" | "fast" | "hosts" | "noWait" | "serial">): boolean =>
  fast &&
  // Where the failure of one may stop the others, they wait for each other after all.
  ((noWait && config.failPercent === undefined) || serial || hosts.filter(takesPart).length === 1);

const takesPart = ({ isElsewhere, isOutside }: HostDefinition): boolean => !isElsewhere && !isOutside;

/** The state of a run. */
export class Engine {
  readonly settings: RunSettings;
  /** Those that take part, in inventory order. */
  readonly hosts: readonly HostState[];
  /** Those that take no part too. */
  readonly inventoryHosts: readonly HostState[];
  stage: Stage | "setup" = "setup";
  readonly #byName: ReadonlyMap<string, HostState>;
  readonly #deprecated = new Set<string>();
  readonly #declarations = new Map<string, Declaration>();
  readonly #secret = crypto.randomUUID();
  readonly #startedAt: number;

  constructor(settings: RunSettings, hosts: readonly HostState[]) {
    this.settings = {
      ...settings,
      localShell: line => {
        this.questions++;
        return settings.localShell(line);
      },
    };
    this.inventoryHosts = hosts;
    this.hosts = hosts.filter(host => takesPart(host.definition));
    this.#startedAt = settings.clock.now();
    this.#byName = new Map(hosts.map(host => [host.name, host]));
  }

  /** Other controllers work on hosts of this inventory. */
  get isShared(): boolean {
    return this.inventoryHosts.some(host => host.definition.isElsewhere);
  }

  /** Among controllers that share an inventory and do not talk, the one with its first host does what is to be done once. */
  get isFirst(): boolean {
    return this.inventoryHosts.find(host => !host.definition.isOutside) === this.hosts[0];
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

  /** Remember what the user's code did where nobody could stop it; the first counts. */
  rememberLate(error: DeployError): void {
    this.#late ??= error;
  }
  /** It is told where it was thrown. */
  forgetLate(error: unknown): void {
    if (this.#late === error) this.#late = undefined;
  }
  #late: DeployError | undefined;

  /** Throws what was remembered, if anything was. */
  expectNothingLate(): void {
    if (this.#late) throw this.#late;
  }

  /** What the operations have printed. */
  readonly kept = new KeptResults();

  /** How often deploy files have asked a host for a fact, or this machine by `local.shell`. */
  questions = 0;

  /** The deploy file that is evaluated for a host. */
  readonly evaluating = new Map<HostState, string>();

  /** Say that a stage has ended, and remember how long it took. */
  endStage(stage: Stage, seconds: number): void {
    this.#seconds += seconds;
    this.settings.emit({ type: "stage:end", stage, seconds });
  }
  #seconds = 0;

  /** How long the stages took so far; the questions between them are not in it. */
  get seconds(): number {
    return this.#seconds;
  }

  /** What stops the run although hosts are left that have something to do. */
  stopBy(error: TooManyFailuresError): void {
    if (this.#stopped) return;
    this.#stopped = error;
    this.settings.emit({ type: "run:stopped", error: reportError(error) });
  }
  get stopped(): TooManyFailuresError | undefined {
    return this.#stopped;
  }
  #stopped: TooManyFailuresError | undefined;

  /** Take a host out of the run. */
  fail(host: HostState, error: unknown, stage: Stage): void {
    if (host.error) return;
    // A connector may be anybody's.
    const Thrown = stage === "connect" ? ConnectError : FactError;
    host.error =
      error instanceof TsinfraError
        ? error
        : new Thrown(threw(stage === "connect" ? "Connecting" : "Asking", error), { host: host.name, cause: error });
    this.settings.emit({ type: "host:failed", host: host.name, stage, error: reportError(host.error) });
  }

  /** The arguments in force at a place in a deploy. */
  resolve(host: HostState, point: DeployPoint): ResolvedArguments {
    return resolveArguments({
      context: point.context,
      host: globalsOfData(`The data of host ${host.name}`, host.data(point.data)),
      config: point.config,
      inheritedEnv: this.inheritedEnv(point.config),
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
    asked: FactCallArguments<A>,
    point: DeployPoint,
  ): Promise<T> {
    this.questions++;
    checkQuestion(fact, asked);
    const [given] = asked;
    if (given !== undefined && !hasKeys(given)) this.settings.checkArguments(fact.name, given);
    const { own, globals } = splitArguments(`The fact ${fact.name}`, given ?? ({} as A), true);
    this.settings.checkArguments(fact.name, own, globals);
    const how = overrideArguments(this.resolve(host, point), globals);
    // A callback may wait for something to change that runs nowhere here.
    const config = this.stage === "execute" ? { ...point.config, factMaxAge: Number.NEGATIVE_INFINITY } : point.config;
    return host.facts.ask(fact, own, how, config);
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

  /** The host of that name, those that take no part included. */
  hostOf(name: string): HostState | undefined {
    return this.#byName.get(name);
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
    const log = (level: "debug" | "info" | "warn" | "error") => (message: unknown) =>
      this.settings.emit({ type: "log", level, message: logged(message), host });
    return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  }
}

const NO_ENV = {};
