/** What a deploy file can reach while it is evaluated for one host: the engine's side of the ambient context. @module */
import type { GlobalArguments } from "../core/arguments.ts";
import { DEFAULT_CONFIG, type Config } from "../core/config.ts";
import { type CallSite, CommandError, ConfigError, DeployError, TsinfraError } from "../core/errors.ts";
import { Secret } from "../core/command.ts";
import type { CommandResult, Host, HostData } from "../core/host.ts";
import { nearest } from "../core/nearest.ts";
import type { Operation } from "../core/operation.ts";
import {
  type DeployContext,
  inScope,
  type Inventory,
  type Local,
  type Logger,
  type RunState,
  type Scope,
  scopeOrNone,
} from "../core/scope.ts";
import { runDirect } from "./direct.ts";
import type { Engine, Place } from "./engine.ts";
import type { Handle } from "./handle.ts";
import { type Declaring, type HostState, OperationCall } from "./host-state.ts";
import { mergeArguments, type ResolvedArguments, splitArguments, withArguments } from "./resolve.ts";
import type { Deploy } from "./run.ts";

/** The names, arguments and data that surround a place in a deploy. */
interface Surrounding {
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
}

/** What every operation of one place shares. */
interface Placed {
  readonly config: Readonly<Config>;
  readonly dataVersion: number;
  readonly data: HostData;
  readonly base: ResolvedArguments;
}

/** The scope of one host in one deploy file. */
export class DeployScope implements Scope {
  readonly host: Host;
  readonly inventory: Inventory;
  readonly config: Config;
  readonly state: RunState;
  readonly logger: Logger;
  readonly local: Local;
  readonly #engine: Engine;
  readonly #host: HostState;
  readonly #declaring: Declaring;
  readonly #surrounding: Surrounding;
  readonly #settings: { current: Readonly<Config> };
  /** An include that began and that nobody waits for. */
  readonly #includes: { unawaited: string | undefined };
  #place: Placed | undefined;

  private constructor(
    engine: Engine,
    host: HostState,
    declaring: Declaring,
    surrounding: Surrounding,
    settings: { current: Readonly<Config> },
  ) {
    this.#engine = engine;
    this.#host = host;
    this.#declaring = declaring;
    this.#surrounding = surrounding;
    this.#settings = settings;
    this.#includes = { unawaited: undefined };
    this.host = this.#hostFacade();
    this.inventory = engine.inventory(state => (state === host ? this.host : engine.passiveHost(state)));
    this.config = configFacade(settings);
    this.state = engine.runState();
    this.logger = engine.logger(host.name);
    this.local = {
      include: (file, options) => this.#include(file, options?.data),
      shell: (command, options) => this.#shell(command, options?.ignoreErrors ?? false),
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
    };
    return new DeployScope(engine, host, declaring, surrounding, { current: engine.settings.config });
  }

  /** The scope inside a callback of an operation that is being run. */
  static ofCallback(engine: Engine, call: OperationCall, declaring: Declaring): DeployScope {
    const surrounding = {
      key: call.declaration.id,
      position: call.declaration.position,
      names: [],
      arguments: call.how.all,
      data: [call.data],
      file: call.at?.file,
    };
    const {
      _if: _,
      name: __,
      _retries: ___,
      _retryUntil: ____,
      _runOnce: _____,
      _serial: ______,
      _parallel: _______,
      ...args
    } = call.how.all;
    return new DeployScope(engine, call.host, declaring, { ...surrounding, arguments: args }, { current: call.config });
  }

  call<A extends object>(operation: Operation<A>, given: A & GlobalArguments): Handle {
    if (this.#includes.unawaited !== undefined) {
      throw new DeployError(`local.include("${this.#includes.unawaited}") is not awaited, but operations follow it`, {
        hint: "Write `await local.include(…)`: what it declares must come before what follows",
      });
    }
    const sites = this.#engine.settings.callSites();
    const at = sites[0];
    try {
      return this.#declare(operation, given, sites);
    } catch (error) {
      if (error instanceof Error && at && "at" in error) error.at ??= at;
      throw error;
    }
  }

  deploy<R>({ name, arguments: args = {}, data }: DeployContext, body: () => R): R {
    const { globals } = splitArguments(name ?? "This deploy", args);
    const outer = this.#surrounding;
    return this.#inside(
      {
        ...outer,
        key: `${outer.key}>${name ?? ""}`,
        names: name === undefined ? outer.names : [...outer.names, name],
        arguments: mergeArguments(outer.arguments, globals),
        data: data === undefined ? outer.data : [data, ...outer.data],
      },
      body,
    );
  }

  #declare<A extends object>(operation: Operation<A>, given: A & GlobalArguments, sites: readonly CallSite[]): Handle {
    const host = this.#host;
    const outer = this.#surrounding;
    const { own, globals } = splitArguments(operation.name, given);
    this.#engine.settings.checkArguments(operation.name, own);
    if (operation.deprecated !== undefined) this.#engine.deprecated(operation.name, operation.deprecated, sites[0]);
    const { data, base } = this.#placed();
    const how = withArguments(base, globals);
    const { _runOnce, _serial, _parallel } = how.all;
    const inFile = untilFile(sites, outer.file);
    const mode = `${_runOnce ? "once" : ""}${_serial ? "serial" : ""}${_parallel ?? ""}`;
    const key = `${outer.key}|${inFile.map(site => `${site.file}:${site.line}:${site.column}`).join("<")}|${operation.name}|${mode}`;
    const occurrence = host.occurrences.get(key) ?? 0;
    host.occurrences.set(key, occurrence + 1);
    const id = `${key}#${occurrence}`;
    const declaration = this.#engine.declaration(id, () => ({
      id,
      position: [...outer.position, ...inFile.toReversed().flatMap(site => [site.line, site.column]), occurrence],
      at: sites[0],
    }));
    const name = [...outer.names, how.all.name ?? autoName(operation.name, own)].join(" | ");
    const call = new OperationCall(
      {
        host,
        declaration,
        operation: operation as unknown as Operation<object>,
        args: own,
        how,
        config: this.#settings.current,
        name,
        data,
      },
      this.#declaring,
    );
    this.#declaring.declare(call);
    return call.handle;
  }

  /** Data and arguments in force here, made anew when `config` or the host's data has changed. */
  #placed(): Placed {
    const config = this.#settings.current;
    const { dataVersion } = this.#host;
    if (this.#place?.config !== config || this.#place.dataVersion !== dataVersion) {
      const { arguments: context, data } = this.#surrounding;
      this.#place = {
        config,
        dataVersion,
        data: this.#host.data(data),
        base: this.#engine.resolve(this.#host, { context, config, data }),
      };
    }
    return this.#place;
  }

  #inside<R>(surrounding: Surrounding, body: () => R): R {
    return inScope(new DeployScope(this.#engine, this.#host, this.#declaring, surrounding, this.#settings), body);
  }

  #include(file: string, data: Readonly<Record<string, unknown>> | undefined): PromiseLike<void> {
    const include = async (): Promise<void> => {
      const outer = this.#surrounding;
      const deploy = await this.#engine.settings.loadDeploy(file, outer.file);
      const surrounding = {
        ...outer,
        key: `${outer.key}>${deploy.file ?? deploy.name}`,
        names: [...outer.names, deploy.name],
        data: data === undefined ? outer.data : [data, ...outer.data],
        file: deploy.file,
      };
      // What an included file changes in `config` ends with it.
      const settings = { current: this.#settings.current };
      const scope = new DeployScope(this.#engine, this.#host, this.#declaring, surrounding, settings);
      await inScope(scope, () => deploy.evaluate());
    };
    this.#includes.unawaited = file;
    const [site] = this.#engine.settings.callSites();
    const running = include().catch((error: unknown) => Promise.reject(site ? includedFrom(error, site) : error));
    // Not the promise itself: `await` takes a promise without asking its `then`.
    return {
      then: (...handlers) => {
        this.#includes.unawaited = undefined;
        return running.then(...handlers);
      },
    };
  }

  async #shell(command: string | readonly string[], ignoreErrors: boolean): Promise<string> {
    const outputs: string[] = [];
    for (const line of [command].flat()) {
      const { exitCode, stdout, stderr } = await this.#engine.settings.localShell(line);
      if (exitCode !== 0 && !ignoreErrors) {
        throw new CommandError(`Command failed with exit code ${exitCode} on the control machine: ${line}`, {
          exitCode,
          stdout,
          stderr,
          hint: stderr.trim() || undefined,
        });
      }
      outputs.push(stdout.replace(/\n$/, ""));
    }
    return outputs.join("\n");
  }

  #hostFacade(): Host {
    const state = this.#host;
    // The object may be kept in a variable and used inside a block: the block in force counts, not the one it came from.
    const inForce = (): DeployScope => {
      const scope = scopeOrNone();
      return scope instanceof DeployScope && scope.#host === state ? scope : this;
    };
    const place = (): Place => {
      const scope = inForce();
      return { context: scope.#surrounding.arguments, config: scope.#settings.current, data: scope.#surrounding.data };
    };
    const within = <R>(args: GlobalArguments, body: () => R): R => {
      const scope = inForce();
      return scope.#inside(
        { ...scope.#surrounding, arguments: mergeArguments(scope.#surrounding.arguments, args) },
        body,
      );
    };
    return {
      name: state.name,
      groups: state.groups,
      get data(): HostData {
        return state.data(place().data);
      },
      getFact: (fact, ...[given]) => this.#engine.ask(state, fact, given, place()),
      when: (condition, body) => within({ _if: condition }, body),
      withArguments: (args, body) => within(splitArguments("host.withArguments", args).globals, body),
      loop: items => items,
      log: message => this.#engine.settings.emit({ type: "log", level: "info", message, host: state.name }),
      noop: reason => this.#engine.settings.emit({ type: "noop", host: state.name, operation: "", reason }),
      run: (command, args): Promise<CommandResult> => runDirect(this.#engine, state, command, args ?? {}, place()),
    };
  }
}

/** The part of the stack inside the deploy file being evaluated; what called that file has its own place in the key. */
function untilFile(sites: readonly CallSite[], file: string | undefined): readonly CallSite[] {
  const last = sites.findLastIndex(site => site.file === file);
  return last === -1 ? sites : sites.slice(0, last + 1);
}

/** `apt.packages (packages=vim, update=true)`, short enough for a line. */
function autoName(operation: string, args: object): string {
  const shown = Object.entries(args).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${SENSITIVE.test(name) ? "***" : brief(value)}`],
  );
  const text = shown.join(", ");
  return text === ""
    ? operation
    : `${operation} (${text.length > NAME_WIDTH ? `${text.slice(0, NAME_WIDTH - 1)}…` : text})`;
}
const NAME_WIDTH = 60;
const SENSITIVE = /password|secret|token|passphrase/i;

function brief(value: unknown): string {
  if (typeof value === "function") return value.name || "function";
  if (value instanceof Secret) return "***";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(brief).join(" ");
  if (typeof value !== "object" || value === null) return String(value).replaceAll("\n", "⏎");
  return String(value) === "[object Object]" ? JSON.stringify(value) : String(value);
}

/** `config` of a deploy file: assigning makes a new object, so that operations declared before keep theirs. */
function configFacade(settings: { current: Readonly<Config> }): Config {
  return new Proxy({} as Config, {
    get: (_, key) => settings.current[key as keyof Config],
    has: (_, key) => key in DEFAULT_CONFIG,
    ownKeys: () => Object.keys(DEFAULT_CONFIG),
    getOwnPropertyDescriptor: (_, key) => ({
      value: settings.current[key as keyof Config],
      enumerable: true,
      configurable: true,
      writable: true,
    }),
    set: (_, key, value) => {
      if (!(key in DEFAULT_CONFIG)) {
        const near = nearest(String(key), Object.keys(DEFAULT_CONFIG));
        throw new ConfigError(`There is no setting config.${String(key)}`, {
          hint: near ? `The nearest is config.${near}` : undefined,
        });
      }
      settings.current = { ...settings.current, [key]: value };
      return true;
    },
  });
}

/** An included file is called by us: its errors do not know who included it. */
function includedFrom(error: unknown, site: CallSite): unknown {
  if (error instanceof TsinfraError && error.at !== undefined) {
    const isKnown = error.callers.some(({ file, line }) => file === site.file && line === site.line);
    if (!isKnown) error.callers = [...error.callers, site];
  } else if (error instanceof Error) error.stack += `\n    at ${site.file}:${site.line}:${site.column}`;
  return error;
}
