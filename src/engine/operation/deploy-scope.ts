/** What a deploy file can reach while it is evaluated for one host: the engine's side of the ambient context. @module */
import type { GlobalArguments } from "../../core/arguments.ts";
import type { Config } from "../../core/config.ts";
import { type CallSite, DeployError, LeftOverError, TsinfraError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import type { HostData } from "../../core/host-data.ts";
import type { IncludeResult } from "../../core/handle.ts";
import type { Operation } from "../../core/operation.ts";
import {
  type DeployContext,
  inScope,
  type Inventory,
  type Local,
  type Logger,
  type RunState,
  type Scope,
  scopeOrNone,
} from "../../core/scope.ts";
import { hasKeys } from "../../core/kind.ts";
import { dataOption } from "../../core/one-object.ts";
import type { Engine } from "../engine.ts";
import { autoName } from "./auto-name.ts";
import { OF_THE_CALL, refuseStrategy } from "./callback-arguments.ts";
import { calledFrom, chainOf, includedFrom, placesOf, untilFile } from "./declared-at.ts";
import { conditionsIn } from "./conditions.ts";
import { configFacade } from "./config-facade.ts";
import { hostFacade, inventoryFacade, passiveHost } from "./facade.ts";
import { Handle, resultOf } from "./handle.ts";
import { type Inside, Lifetime } from "./lifetime.ts";
import { localShellFor } from "./local-shell.ts";
import { givenData } from "../host-data.ts";
import { type Declaring, type HostState, OperationCall } from "../host-state.ts";
import { mergeArguments, type ResolvedArguments, overrideArguments, splitArguments } from "../host/arguments.ts";
import { nextTurn } from "../host/time-limit.ts";
import type { Deploy } from "../settings.ts";

/** The names, arguments and data that surround a place in a deploy. */
interface Enclosing {
  /** Identity of the enclosing includes and deploys. */
  readonly key: string;
  readonly position: readonly number[];
  /** For output, outermost first. */
  readonly names: readonly string[];
  readonly arguments: GlobalArguments;
  /** Defaults for host data, innermost first. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
  /** The deploy file being evaluated, for relative includes. */
  readonly file: string | undefined;
  /** Told of every operation declared here. */
  readonly observers: readonly ((operation: Handle) => void)[];
}

/** What every operation of one place in a deploy shares. */
interface InForce {
  readonly config: Readonly<Config>;
  readonly dataVersion: number;
  readonly data: HostData;
  readonly base: ResolvedArguments;
}

/** The scope of one host in one deploy file. */
export class DeployScope implements Scope {
  readonly host: Host;
  readonly inventory: Inventory<Host>;
  readonly config: Config;
  readonly state: RunState;
  readonly logger: Logger;
  readonly local: Local;
  readonly #engine: Engine;
  readonly #host: HostState;
  readonly #declaring: Declaring;
  readonly #surrounding: Enclosing;
  readonly #settings: { current: Readonly<Config> };
  /** Of the body of code that this is the scope of. */
  readonly #lifetime: Lifetime;
  #inForce: InForce | undefined;

  private constructor(
    engine: Engine,
    host: HostState,
    declaring: Declaring,
    surrounding: Enclosing,
    settings: { current: Readonly<Config> },
    lifetime: Lifetime,
  ) {
    this.#engine = engine;
    this.#host = host;
    this.#declaring = declaring;
    this.#surrounding = surrounding;
    this.#settings = settings;
    this.#lifetime = lifetime;
    this.host = this.#hostFacade();
    this.inventory = inventoryFacade(engine, state => (state === host ? this.host : passiveHost(engine, state)));
    this.config = configFacade(settings);
    this.state = engine.runState();
    this.logger = engine.logger(host.name);
    this.local = {
      include: (file, options) => this.#include(file, dataOption(`local.include("${file}")`, options)),
      shell: (...given) => this.asking("local.shell()", () => localShellFor(engine, host, ...given)),
    };
  }

  /** The scope of a deploy file's top level. `index` is its place on the command line. */
  static ofDeploy(engine: Engine, host: HostState, declaring: Declaring, deploy: Deploy, index: number): DeployScope {
    const surrounding = {
      key: deploy.file ?? deploy.name,
      position: [index],
      names: [],
      arguments: {},
      data: [],
      file: deploy.file,
      observers: [],
    };
    const lifetime = Lifetime.ofFile(deploy.name);
    return new DeployScope(engine, host, declaring, surrounding, { current: engine.settings.config }, lifetime);
  }

  /** The scope inside a callback of an operation that is being run. */
  static ofCallback(engine: Engine, call: OperationCall, declaring: Declaring): DeployScope {
    // What host data and `config` say holds by itself, and may be changed there.
    const said = Object.entries(mergeArguments(...call.said)).filter(([name]) => !OF_THE_CALL.has(name));
    const surrounding = {
      key: call.declaration.id,
      position: call.declaration.position,
      names: [],
      arguments: Object.fromEntries(said),
      data: [call.data],
      file: call.at?.file,
      observers: [],
    };
    const lifetime = Lifetime.ofFile(`the callback of ${call.name}`);
    const settings = { current: call.config };
    const noting: Declaring = {
      ...declaring,
      declare: nested => {
        call.nested.push(nested);
        declaring.declare(nested);
      },
    };
    return new DeployScope(engine, call.host, noting, surrounding, settings, lifetime);
  }

  /** Run the code that this is the scope of, to its end. Throws `DeployError` if something that it began has not ended by then. */
  async run(body: () => Promise<void>): Promise<void> {
    await this.#lifetime.through(() => inScope(this, body));
  }

  call<A extends object>(operation: Operation<A>, given: A & GlobalArguments): Handle {
    const sites = this.#engine.settings.callSites();
    const at = sites[0];
    const refuse = this.#refusal(at);
    try {
      const late = this.#late(operation.name, "called", at);
      if (late) throw late;
      const declared = { operation: operation.name, at, cwd: this.state.cwd };
      const disorder = this.#lifetime.disorder(declared, refuse);
      if (disorder) throw refuse(disorder);
      const handle = this.#declare(operation, given, sites);
      this.#lifetime.declared();
      return handle;
    } catch (error) {
      if (error instanceof TsinfraError && at) error.at ??= at;
      throw error;
    }
  }

  /** Whoever called may swallow what is thrown: the run knows of it all the same. */
  #refusal(at: CallSite | undefined): (error: DeployError) => DeployError {
    return error => {
      error.at ??= at;
      error.host ??= this.#host.name;
      this.#engine.rememberLate(error);
      return error;
    };
  }

  /** Why nothing can be asked or declared here any more. */
  #late(what: string, verb: "asked" | "called", at: CallSite | undefined): DeployError | undefined {
    const { failed, ended } = this.#lifetime;
    if (failed) return this.#leftOver(`${what} was ${verb} after ${failed.name} had ended`, at, failed.error);
    if (!ended) return undefined;
    const error = new DeployError(`${what} was ${verb} after ${ended.name} had ended`, {
      hint: "Put `await` before what leads here: the call of the async function, the promise of the timer, or `for … of` in place of `forEach`",
    });
    return this.#refusal(at)(error);
  }

  #leftOver(message: string, at: CallSite | undefined, cause: unknown): LeftOverError {
    return new LeftOverError(message, { host: this.#host.name, at, cause });
  }

  asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const at = this.#site();
    const late = this.#late(what, /\)$/.test(what) ? "called" : "asked", at);
    if (late) return this.#rejected(late);
    const haveRun = this.#declaring.haveRun?.();
    return this.#lifetime.asking(what, at, haveRun ? haveRun.then(ask) : ask(), error => {
      const { failed } = this.#lifetime;
      // Where the host is disconnected by then, that is no second mistake.
      if (!failed && this.#engine.stage !== "disconnect") return undefined;
      const file = failed ? failed.name : "the run";
      return this.#rejected(this.#leftOver(`${what} failed after ${file} had ended`, at, error));
    });
  }

  /** What is left over hears nothing once the run has ended. Before that others may wait for the same promise: they must not do so for ever. */
  async #rejected(error: DeployError): Promise<never> {
    if (!(error instanceof LeftOverError)) throw error;
    if (this.#engine.stage === "disconnect") return new Promise(() => {});
    // Code that asks until it is answered must not keep everything else from its turn.
    await nextTurn();
    throw error;
  }

  failBy(error: unknown): void {
    this.#lifetime.failBy(error);
  }

  /** The rounds of a loop, each with operations of its own. */
  #loop<T>(items: Iterable<T>): Iterable<T> {
    const rounds = this.#rounds;
    const position = placesOf(untilFile(this.#engine.settings.callSites(), this.#surrounding.file));
    return {
      *[Symbol.iterator]() {
        const round = { position, number: -1 };
        rounds.add(round);
        try {
          for (const item of items) {
            round.number++;
            yield item;
          }
        } finally {
          rounds.delete(round);
        }
      },
    };
  }
  /** Those of the loops that run now, outermost first. */
  readonly #rounds = new Set<{ readonly position: readonly number[]; number: number }>();

  /** What surrounds what is declared now. */
  get #here(): Enclosing {
    const outer = this.#surrounding;
    if (this.#rounds.size === 0) return outer;
    const rounds = [...this.#rounds];
    return {
      ...outer,
      key: `${outer.key}[${rounds.map(({ number }) => number).join()}]`,
      position: [...outer.position, ...rounds.flatMap(({ position, number }) => [...position, number])],
    };
  }

  deploy<R>({ name, arguments: args = {}, data, onDeclare, isAwaited }: DeployContext, body: () => R): R {
    const { globals } = splitArguments(name ?? "This deploy", args);
    this.#engine.settings.checkArguments(`deploy("${name ?? ""}")`, {}, globals);
    const outer = this.#here;
    return this.#inside(
      name === undefined ? "this block" : `deploy("${name}")`,
      {
        ...outer,
        names: name === undefined ? outer.names : [...outer.names, name],
        arguments: mergeArguments(outer.arguments, globals),
        data: data === undefined ? outer.data : [givenData(data), ...outer.data],
        observers: onDeclare === undefined ? outer.observers : [...outer.observers, onDeclare],
      },
      body,
      isAwaited,
    );
  }

  #declare<A extends object>(operation: Operation<A>, given: A & GlobalArguments, sites: readonly CallSite[]): Handle {
    const host = this.#host;
    const outer = this.#here;
    if (!hasKeys(given)) this.#engine.settings.checkArguments(operation.name, given);
    const { own, globals } = splitArguments(operation.name, given);
    this.#engine.settings.checkArguments(operation.name, own, globals);
    if (operation.deprecated !== undefined) this.#engine.deprecated(operation.name, operation.deprecated, sites[0]);
    const { data, base } = this.#atThisPlace();
    const how = overrideArguments(base, globals);
    if (this.#declaring.haveRun) refuseStrategy(operation.name, { ...outer.arguments, ...globals });
    const { _runOnce, _serial, _parallel } = how.all;
    const inFile = untilFile(sites, outer.file);
    const mode = `${_runOnce ? "once" : ""}${_serial ? "serial" : ""}${_parallel ?? ""}`;
    const key = `${outer.key}|${chainOf(inFile)}|${operation.name}|${mode}`;
    const occurrence = host.occurrences.get(key) ?? 0;
    host.occurrences.set(key, occurrence + 1);
    const id = `${key}#${occurrence}`;
    const declaration = this.#engine.declaration(id, () => ({
      id,
      position: [...outer.position, ...placesOf(inFile), occurrence],
      at: sites[0],
    }));
    const name = [...outer.names, how.all.name ?? autoName(operation, own)].join(" | ");
    const call = new OperationCall(
      {
        host,
        declaration,
        operation: operation as unknown as Operation<object>,
        args: own,
        how,
        said: [outer.arguments, globals],
        config: this.#settings.current,
        name,
        data,
        hasConditions: conditionsIn({ operation: operation as unknown as Operation<object>, args: own }).length > 0,
      },
      this.#declaring,
    );
    this.#declaring.declare(call);
    const handle = new Handle(call);
    for (const observe of outer.observers) observe(handle);
    return handle;
  }

  /** Data and arguments in force here, made anew when `config` or the host's data has changed. */
  #atThisPlace(): InForce {
    const config = this.#settings.current;
    const { dataVersion } = this.#host;
    if (this.#inForce?.config !== config || this.#inForce.dataVersion !== dataVersion) {
      const { arguments: context, data } = this.#surrounding;
      this.#inForce = {
        config,
        dataVersion,
        data: this.#host.data(data),
        base: this.#engine.resolve(this.#host, { context, config, data }),
      };
    }
    return this.#inForce;
  }

  #inside<R>(what: string, surrounding: Enclosing, body: () => R, isAwaited?: () => boolean): R {
    const sites = this.#engine.settings.callSites();
    const lifetime = this.#lifetime.block(what, sites[0]);
    const inner = { ...surrounding, ...calledFrom(surrounding, what, sites) };
    const scope = new DeployScope(this.#engine, this.#host, this.#declaring, inner, this.#settings, lifetime);
    return this.#lifetime.inside(lifetime, () => inScope(scope, body), this.#insideOf(what, sites[0], isAwaited));
  }

  #insideOf(operation: string, at: CallSite | undefined, isAwaited?: () => boolean): Inside {
    return { isAwaited, declared: { operation, at, cwd: this.state.cwd }, refuse: this.#refusal(at) };
  }

  #site(): CallSite | undefined {
    return this.#engine.settings.callSites()[0];
  }

  #include(file: string, data: Readonly<Record<string, unknown>> | undefined): Promise<IncludeResult> {
    const handles: Handle[] = [];
    const what = `local.include("${file}")`;
    const sites = this.#engine.settings.callSites();
    const [site] = sites;
    const late = this.#late(what, "called", site);
    if (late) return this.#rejected(late);
    const lifetime = Lifetime.ofFile(what, site, this.#lifetime);
    const outer = this.#here;
    const include = async (): Promise<IncludeResult> => {
      const deploy = await this.#engine.settings.loadDeploy(file, outer.file);
      const surrounding = {
        ...outer,
        ...calledFrom(outer, deploy.file ?? deploy.name, sites),
        names: [...outer.names, deploy.name],
        data: data === undefined ? outer.data : [givenData(data), ...outer.data],
        file: deploy.file,
        observers: [...outer.observers, (handle: Handle) => void handles.push(handle)],
      };
      // What an included file changes in `config` ends with it.
      const settings = { current: this.#settings.current };
      const scope = new DeployScope(this.#engine, this.#host, this.#declaring, surrounding, settings, lifetime);
      await scope.run(() => deploy.evaluate());
      // Where operations run at once, those that it declared have.
      await this.#declaring.haveRun?.();
      return resultOf(handles);
    };
    return this.#lifetime.inside(
      lifetime,
      () => include().catch((error: unknown) => Promise.reject(site ? includedFrom(error, site) : error)),
      this.#insideOf(what, site),
    );
  }

  #hostFacade(): Host {
    const state = this.#host;
    // The object may be kept in a variable and used inside a block: the block in force counts, not the one it came from.
    const inForce = (): DeployScope => {
      const scope = scopeOrNone();
      return scope instanceof DeployScope && scope.#host === state ? scope : this;
    };
    return hostFacade(this.#engine, state, () => {
      const scope = inForce();
      const surrounding = scope.#here;
      return {
        point: { context: surrounding.arguments, config: scope.#settings.current, data: surrounding.data },
        within: (what, args, body) =>
          scope.#inside(what, { ...surrounding, arguments: mergeArguments(surrounding.arguments, args) }, body),
        loop: items => scope.#loop(items),
        asking: (what, ask) => scope.asking(what, ask),
      };
    });
  }
}
