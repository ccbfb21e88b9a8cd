/** One call of the command line that has an inventory: its settings, its hosts, and how its run is shown. @module */
import { unlessAborted } from "../core/abort.ts";
import { unended } from "../core/awaited.ts";
import type { Settings } from "../config/define.ts";
import { checkedConnector } from "../connectors/own.ts";
import {
  environmentSettings,
  flagVariable,
  keyPlace,
  loadConfigFile,
  mergeSettings,
  variableOf,
} from "../config/index.ts";
import type { Connector, ConnectorContext, OutputStream } from "../core/connector.ts";
import { CancelledError, ConfigError } from "../core/errors.ts";
import type { EngineEvent } from "../engine/events.ts";
import type { Run } from "../engine/run.ts";
import { dataKeysOf, type InventoryHost, loadInventory, selectHosts } from "../inventory/index.ts";
import type { GivenBy } from "../inventory/select.ts";
import { inventoryDigest, isInShard } from "../inventory/shard.ts";
import type { Context } from "./context.ts";
import type { Io } from "./io.ts";
import { createLog, logLine } from "./logger.ts";
import type { OptionName } from "./options.ts";
import { connectorData, overridesOf } from "./overrides.ts";
import { ArgumentError } from "./parse.ts";
import { askPasswords } from "./passwords.ts";
import { Prompts } from "./prompts.ts";
import { RunRecord } from "./record.ts";
import { shardText } from "./shard.ts";
import { dataOf } from "./values.ts";
import { plural } from "./views/text.ts";
import { createView, type View } from "./views/view.ts";

/** How a command wants to be shown. */
export interface ViewMode {
  /** Tell only what went wrong: the data on stdout is what was asked for. */
  readonly isQuiet?: boolean;
  readonly outputShown?: boolean;
  /** Directory of the deploy files; default: the working directory. */
  readonly deployDir?: string;
}

/** What a command wants to know of its run while it goes on. */
export interface RunListener {
  /** Called with every event, after it was shown. */
  onEvent?(event: EngineEvent): void;
  /** Called with what operations print, as it comes; the chunk is good for the call alone. */
  onOutput?(host: string, stream: OutputStream, chunk: Uint8Array): void;
}

/** Everything up to the first connection. */
export interface Invocation extends Context {
  readonly settings: Settings;
  /** Those that take part: what --limit and --exclude leave of this shard. */
  readonly hosts: readonly InventoryHost[];
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly prompts: Prompts;
  readonly isJson: boolean;
  readonly isYes: boolean;
  readonly cwd: string;
  /** Make `tsinfra` importable by user files. */
  readonly installModules: () => Promise<void>;
  /** The run, and the view that shows it. */
  start(mode: ViewMode, listener?: RunListener): Promise<Run>;
  /** The end: tells the results of a run, which waited for it. `isSound` is false where something went wrong beside them. */
  close(isSound?: boolean): void;
}

/** Read the config and the inventory. `written` is the inventory of the command line, `deploy` the file that is to run on it. */
export async function openInvocation(
  context: Context,
  written: string | undefined,
  deploy?: string,
): Promise<Invocation> {
  const { io, options, screen, paint, shard, interrupts } = context;
  const cwd = io.cwd();
  const guardSignals = once(() => io.guardSignals());
  const installModules = once(async () => {
    // What explains errors is there before there can be one: which files have run is asked when it comes.
    const [{ installDeployModules }] = await Promise.all([import("../deploy/index.ts"), import("./explain.ts")]);
    await installDeployModules();
    // From now on code of the user's may loop without end.
    await guardSignals();
  });
  const beforeImport = async (file: string): Promise<void> => {
    await installModules();
    const { prepareModule } = await import("../deploy/index.ts");
    await prepareModule(file);
  };

  const fromEnvironment = environmentSettings(io.environment);
  // Commands of the local connector must not inherit it.
  delete io.environment["TSINFRA_SUDO_PASSWORD"];
  delete io.environment["TSINFRA_SU_PASSWORD"];
  const file = options.config ?? (io.environment["TSINFRA_CONFIG"] || undefined);
  const env = options.env ?? (io.environment["TSINFRA_ENV"] || undefined);
  const configFile = await loadConfigFile({
    cwd,
    file,
    env,
    beforeImport,
    dataKeys: dataKeysOf((await io.connectors()).values()),
  });
  const fromOptions = overridesOf(options);
  let settings = mergeSettings([fromOptions, fromEnvironment.settings, configFile?.settings ?? {}]);
  const givenBy = (setting: keyof typeof OPTION_OF): GivenBy => {
    if (fromOptions[setting] !== undefined) return { name: `--${OPTION_OF[setting]}` };
    if (fromEnvironment.settings[setting] !== undefined) return { name: `Environment variable ${variableOf(setting)}` };
    return { name: `Setting "${setting}"`, at: configFile && keyPlace(configFile.file, setting) };
  };
  if (settings.serial && settings.noWait)
    throw new ArgumentError(`${givenBy("serial").name} and ${givenBy("noWait").name} exclude each other`);

  const isTerminal = io.stderr.isTTY === true;
  const format = options.json
    ? "json"
    : options.plain
      ? "plain"
      : (settings.output ?? (isTerminal && !isForMachines(io.environment) ? "pretty" : "plain"));
  const isJson = format === "json";
  let view: View | undefined;
  /** Not told before it is known that nothing comes after them. */
  let results: (EngineEvent & { readonly type: "results" }) | undefined;
  const tellResults = (isSound: boolean): void => {
    if (results) view?.emit({ ...results, ok: results.ok && isSound });
    results = undefined;
  };
  interrupts.begin(() => prompts.isOpen);
  const log = createLog(
    event => {
      if (view) view.emit(event);
      else if (isJson) screen.event(event, io.clock.now());
      else screen.lines([logLine(event, paint)]);
    },
    { isDebug: isJson || settings.verbosity >= 2 },
  );
  const { warn } = log;
  fromEnvironment.warnings.forEach(warn);

  const keyboard = io.stdin.isTTY && isTerminal && !isJson ? io.stdin : undefined;
  const prompts: Prompts = new Prompts({
    screen,
    keyboard,
    signal: interrupts.signal,
    interrupt: () => interrupts.interrupt("SIGINT"),
    stop: () => io.stop(),
    onContinue: callback => io.onContinue(callback),
  });
  const connectorContext: ConnectorContext = {
    ask: question => prompts.ask(question),
    warn,
    inform: log.info,
    cwd,
  };
  try {
    const inventory = written ?? settings.inventory ?? (await askForLocal(prompts, deploy));
    const connectors = withOwn(await io.connectors(), settings.connectors);
    const passwords = await askPasswords(options, settings, prompts);
    settings = { ...settings, config: { ...settings.config, ...passwords.config } };
    const loading = loadInventory(inventory, {
      cwd,
      connectors,
      context: connectorContext,
      data: { ...connectorData(options, connectors), ...passwords.data, ...dataOf(options.data) },
      defaults: settings.data,
      groupData: settings.groupData,
      beforeImport,
    });
    // What of the user's is waited for hears of no interruption.
    const everyone = await unlessAborted(loading, interrupts.givenUp).catch((error: unknown) =>
      Promise.reject(error instanceof CancelledError ? naming(error) : error),
    );
    const selected = selectHosts(everyone, settings, givenBy);
    const hosts = shard ? selected.filter(host => isInShard(host.name, shard)) : selected;
    const [taken, own] = [new Set(selected), new Set(hosts)];
    if (shard && isJson) screen.event(shardStart(selected, own), io.clock.now());
    return {
      ...context,
      settings,
      hosts,
      connectors,
      prompts,
      isJson,
      isYes: options.yes ?? flagVariable("TSINFRA_YES", io.environment["TSINFRA_YES"]),
      cwd,
      installModules,
      async start({ isQuiet = false, outputShown = false, deployDir = cwd }, listener = {}) {
        // A line in progress hides the cursor, which whoever stops the program wants back.
        if (format === "pretty") await guardSignals();
        const created = createView(format, {
          screen,
          paint,
          clock: io.clock,
          verbosity: settings.verbosity,
          hosts: hosts.map(host => host.name),
          isQuiet,
          outputShown,
        });
        view = created;
        prompts.pauseView = () => created.pause();
        if (shard && !isJson && !isQuiet)
          log.info(`Shard ${shardText(shard)}: ${hosts.length} of ${plural(selected.length, "host")}`);
        const record = new RunRecord(hosts.map(host => host.name));
        interrupts.record = record;
        interrupts.isOnStdout = isJson;
        interrupts.onLeave = () => tellResults(false);
        const emit = (event: EngineEvent): void => {
          record.take(event);
          if (event.type === "results") results = event;
          else if (event.type === "log") log.event(event);
          else created.emit(event);
          listener.onEvent?.(event);
        };
        const run = await io.run({
          settings,
          hosts: everyone.map(host =>
            own.has(host) ? host : { ...host, ...(taken.has(host) ? { isElsewhere: true } : { isOutside: true }) },
          ),
          connectors,
          connectorContext,
          emit,
          clock: io.clock,
          cwd,
          deployDir,
          environment: io.environment,
          signal: interrupts.signal,
          givenUp: interrupts.givenUp,
          tellsOutput: isJson || listener.onEvent !== undefined || (!outputShown && settings.verbosity >= 3),
          onOutput: (host, stream, chunk) => {
            listener.onOutput?.(host, stream, chunk);
            return screen.room();
          },
        });
        record.sentAhead = () => run.sentAhead;
        record.evaluating = () => run.evaluating;
        return run;
      },
      close(isSound = true) {
        tellResults(isSound);
        view?.close();
        interrupts.end();
      },
    };
  } catch (error) {
    interrupts.end();
    throw error;
  }
}

/** The options of settings that are told by who gave them. */
const OPTION_OF = {
  limit: "limit",
  exclude: "exclude",
  serial: "serial",
  noWait: "no-wait",
} as const satisfies Readonly<Record<string, OptionName>>;

/** What was waited for in vain, of an interruption. */
function naming(error: CancelledError): CancelledError {
  const what = unended();
  return what === undefined ? error : new CancelledError(`${error.message}: ${what}`, { cause: error });
}

/** The first event of a shard's log: what `report merge` needs to see whether all hosts are there. */
function shardStart(selected: readonly InventoryHost[], own: ReadonlySet<InventoryHost>): { readonly type: string } {
  const places = [...selected.keys()].filter(place => own.has(selected[place]!));
  const names = selected.map(host => host.name);
  return {
    type: "shard:start",
    ...{
      hosts: places.map(place => names[place]),
      places,
      inventory: { hosts: names.length, digest: inventoryDigest(names) },
    },
  };
}

/** The built-in connectors and the user's own. */
function withOwn(known: ReadonlyMap<string, Connector>, own: readonly Connector[]): ReadonlyMap<string, Connector> {
  const taken = own.find(({ name }, index) => known.has(name) || own.findIndex(other => other.name === name) < index);
  if (taken) throw new ConfigError(`Setting "connectors" has "${taken.name}", but there is a connector of that name`);
  return new Map([...known, ...own.map(connector => [connector.name, checkedConnector(connector)] as const)]);
}

/** Nothing runs on this machine that nobody said should: `-y` is about changes, not about where. */
async function askForLocal(prompts: Prompts, deploy: string | undefined): Promise<string> {
  const question = "No inventory given. Work on this machine (@local)? [y/N]";
  if (prompts.isPossible && (await prompts.confirm(question))) return "@local";
  throw deploy === undefined
    ? new ArgumentError("There is no inventory", {
        hint: "Name one, such as @local, or set inventory in infra.config.ts",
      })
    : new ArgumentError(`There is no inventory to run "${deploy}" on`, {
        hint: `Name one before it: tsinfra @local ${deploy}. If ${deploy} is the inventory, name what to run after it`,
      });
}

/** A terminal that nobody looks at while it happens, or one that cannot change a line. */
const isForMachines = ({ CI = "", TERM }: Io["environment"]): boolean =>
  !["", "0", "false"].includes(CI) || TERM === "dumb";

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
