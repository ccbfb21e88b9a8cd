/** What every command that has an inventory needs: settings, hosts, a view, and a way to interrupt it. @module */
import type { Settings } from "../config/define.ts";
import { environmentSettings, flagVariable, loadConfigFile, mergeSettings, settingProblem } from "../config/index.ts";
import { Secret } from "../core/command.ts";
import type { Connector, ConnectorContext } from "../core/connector.ts";
import { CancelledError, ConfigError, DeployError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { EngineEvent } from "../engine/events.ts";
import type { Run } from "../engine/run.ts";
import { type InventoryHost, loadInventory } from "../inventory/index.ts";
import { inventoryDigest, isInShard } from "../inventory/shard.ts";
import type { Context } from "./context.ts";
import { describeError, EXIT } from "./exit.ts";
import type { Io } from "./io.ts";
import { createNotes } from "./logger.ts";
import { type OptionName, OPTIONS, type OptionSpec, type OptionValues } from "./options.ts";
import { ArgumentError } from "./parse.ts";
import { Prompts } from "./prompts.ts";
import { shardText } from "./shard.ts";
import { dataOf } from "./values.ts";
import { fatalLines } from "./views/errors.ts";
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

export type { Context } from "./context.ts";

/** Everything up to the first connection. */
export interface Session extends Context {
  readonly settings: Settings;
  /** Those of this shard, if there are shards. */
  readonly hosts: readonly InventoryHost[];
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly prompts: Prompts;
  readonly isJson: boolean;
  readonly isYes: boolean;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Something was thrown that nobody caught: the run is no success, whatever became of it. Throws it where it is the user's own. */
  hasStray(): boolean;
  /** Make `tsinfra` importable by user files. */
  readonly installModules: () => Promise<void>;
  /** The view and the run that it shows; `onEvent` sees every event first. */
  start(mode: ViewMode, onEvent?: (event: EngineEvent) => void): Promise<{ readonly run: Run; readonly view: View }>;
  close(): void;
}

/** Read the config and the inventory. `written` is the inventory of the command line. */
export async function openSession(context: Context, written: string | undefined): Promise<Session> {
  const { io, options, screen, paint, shard } = context;
  const cwd = io.cwd();
  const installModules = once(async () => {
    const { installDeployModules } = await import("../deploy/index.ts");
    await installDeployModules();
  });

  const fromEnvironment = environmentSettings(io.environment);
  // Commands of the local connector must not inherit it.
  delete io.environment["TSINFRA_SUDO_PASSWORD"];
  delete io.environment["TSINFRA_SU_PASSWORD"];
  const file = options.config ?? (io.environment["TSINFRA_CONFIG"] || undefined);
  const env = options.env ?? (io.environment["TSINFRA_ENV"] || undefined);
  const configFile = await loadConfigFile({ cwd, file, env, beforeImport: installModules });
  let settings = mergeSettings([overridesOf(options), fromEnvironment.settings, configFile?.settings ?? {}]);
  if (settings.serial && settings.noWait) throw new ArgumentError("--serial and --no-wait exclude each other");

  const isTerminal = io.stderr.isTTY === true;
  const format = options.json
    ? "json"
    : options.plain
      ? "plain"
      : (settings.output ?? (isTerminal && !isForMachines(io.environment) ? "pretty" : "plain"));
  const isJson = format === "json";
  let view: View | undefined;
  const notes = createNotes((level, message) => {
    const event = { type: "log", level, message } as const;
    if (view) view.emit(event);
    else if (isJson) screen.event(event, io.clock.now());
    else screen.lines([level === "warn" ? `${paint("warn", "Warning:")} ${message}` : message]);
  });
  const warn = (message: string): void => notes.warn(message);
  fromEnvironment.warnings.forEach(warn);

  const interrupts = watchInterrupts(context, () => prompts.isOpen);
  const keyboard = io.stdin.isTTY && isTerminal && !isJson ? io.stdin : undefined;
  const prompts: Prompts = new Prompts({
    screen,
    keyboard,
    signal: interrupts.signal,
    interrupt: interrupts.interrupt,
  });
  const connectorContext: ConnectorContext = {
    ask: question => prompts.ask(question),
    warn,
    inform: message => notes.info(message),
    cwd,
  };
  try {
    const inventory = written ?? settings.inventory ?? (await askForLocal(prompts));
    const connectors = withOwn(await io.connectors(), settings.connectors);
    const passwords = await askPasswords(options, settings, prompts);
    settings = { ...settings, config: { ...settings.config, ...passwords.config } };
    const selected = await loadInventory(inventory, {
      cwd,
      connectors,
      context: connectorContext,
      data: { ...connectorData(options, connectors), ...passwords.data, ...dataOf(options.data) },
      defaults: settings.data,
      groupData: settings.groupData,
      limit: settings.limit,
      exclude: settings.exclude,
      beforeImport: installModules,
    });
    const hosts = shard ? selected.filter(host => isInShard(host.name, shard)) : selected;
    const own = new Set(hosts);
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
      signal: interrupts.signal,
      hasStray: interrupts.hasStray,
      installModules,
      async start({ isQuiet = false, outputShown = false, deployDir = cwd }, onEvent) {
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
          notes.info(`Shard ${shardText(shard)}: ${hosts.length} of ${plural(selected.length, "host")}`);
        const emit = (event: EngineEvent): void => {
          created.emit(event);
          onEvent?.(event);
        };
        const run = await io.run({
          settings,
          hosts: selected.map(host => (own.has(host) ? host : { ...host, isElsewhere: true })),
          connectors,
          connectorContext,
          emit,
          ...(io.outputReady ? { outputReady: io.outputReady } : {}),
          clock: io.clock,
          cwd,
          deployDir,
          environment: io.environment,
          signal: interrupts.signal,
        });
        return { run, view: created };
      },
      close() {
        view?.close();
        interrupts.end();
      },
    };
  } catch (error) {
    interrupts.end();
    throw error;
  }
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

/** Settings that options override. Throws `ArgumentError` for values that a setting does not take. */
function overridesOf(options: OptionValues): Readonly<Record<string, unknown>> {
  const overrides: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(OPTIONS) as [OptionName, OptionSpec][]) {
    const value = options[name];
    if (
      spec.setting === undefined ||
      value === undefined ||
      (Array.isArray(value) && value.length === 0) ||
      (spec.kind === "count" && value === 0)
    )
      continue;
    const given = name === "shell-executable" && /^(?:none|null|false)$/i.test(String(value)) ? false : value;
    const problem = settingProblem(spec.setting, given);
    if (problem) throw new ArgumentError(problem.message.replace(/^Setting "\w+"/, `Option --${name}`));
    overrides[spec.setting] = given;
  }
  if (options.json) overrides["output"] = "json";
  return overrides;
}

/** The built-in connectors and the user's own. */
function withOwn(known: ReadonlyMap<string, Connector>, own: readonly Connector[]): ReadonlyMap<string, Connector> {
  const taken = own.find(({ name }, index) => known.has(name) || own.findIndex(other => other.name === name) < index);
  if (taken) throw new ConfigError(`Setting "connectors" has "${taken.name}", but there is a connector of that name`);
  return new Map([...known, ...own.map(connector => [connector.name, connector] as const)]);
}

/** Host data that options override. */
function connectorData(
  options: OptionValues,
  connectors: ReadonlyMap<string, Connector>,
): Readonly<Record<string, unknown>> {
  const known = new Set([...connectors.values()].flatMap(connector => Object.keys(connector.dataKeys)));
  const data: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(OPTIONS) as [OptionName, OptionSpec][]) {
    const value = options[name];
    if (spec.data === undefined || value === undefined) continue;
    if (!known.has(spec.data))
      throw new ArgumentError(`Option --${name} means nothing to the connectors`, {
        hint: didYouMean(spec.data, known),
      });
    data[spec.data] = spec.secret ? new Secret(String(value)) : value;
  }
  return options["ssh-accept-new"] ? { ...data, sshStrictHostKeyChecking: "accept-new" } : data;
}

/** Ask once for what every host shares. */
async function askPasswords(
  options: OptionValues,
  settings: Settings,
  prompts: Prompts,
): Promise<{ readonly config: { readonly sudoPassword?: Secret }; readonly data: { readonly sshPassword?: Secret } }> {
  const wantsSudo = options["use-sudo-password"] === true && settings.config.sudoPassword === undefined;
  const wantsSsh = options["ssh-password-prompt"] === true;
  if ((wantsSudo || wantsSsh) && !prompts.isPossible) {
    const name = wantsSudo ? "use-sudo-password" : "ssh-password-prompt";
    throw new ArgumentError(`Option --${name} needs a terminal to ask on`, {
      hint: wantsSudo ? "Without one, set TSINFRA_SUDO_PASSWORD" : "Without one, use keys or an agent",
    });
  }
  const sudoPassword = wantsSudo
    ? await prompts.ask({ key: "sudo", text: "sudo password:", kind: "secret" })
    : undefined;
  const sshPassword = wantsSsh
    ? await prompts.ask({ key: "cli ssh password", text: "SSH password:", kind: "secret" })
    : undefined;
  return { config: sudoPassword ? { sudoPassword } : {}, data: sshPassword ? { sshPassword } : {} };
}

/** Nothing runs on this machine that nobody said should: `-y` is about changes, not about where. */
async function askForLocal(prompts: Prompts): Promise<string> {
  const hint = "Name one, such as @local, or set inventory in infra.config.ts";
  if (!prompts.isPossible) throw new ArgumentError("There is no inventory", { hint });
  if (await prompts.confirm("No inventory given. Work on this machine (@local)? [y/N]")) return "@local";
  throw new ArgumentError("There is no inventory", { hint });
}

/** A terminal that nobody looks at while it happens, or one that cannot change a line. */
const isForMachines = ({ CI = "", TERM }: Io["environment"]): boolean =>
  !["", "0", "false"].includes(CI) || TERM === "dumb";

/** The first interrupt ends the run in order, the second leaves at once. What a deploy file throws where nobody can catch it ends the run too. */
function watchInterrupts(
  { io, screen, paint }: Context,
  isAsking: () => boolean,
): { readonly signal: AbortSignal; readonly interrupt: () => void; hasStray(): boolean; end(): void } {
  const controller = new AbortController();
  const { signal } = controller;
  let hasStray = false;
  const onStray = async (thrown: unknown): Promise<void> => {
    // Everybody who was told to stop throws the same; some of it where nobody waits any more.
    if (thrown === signal.reason || thrown instanceof CancelledError) return;
    hasStray = true;
    const { explained } = await import("./explain.ts");
    const error = await explained(thrown);
    if (error instanceof DeployError) controller.abort(error);
    else screen.lines(fatalLines(describeError(error).report, paint, screen.columns));
  };
  const interrupt = (why?: "unread"): void => {
    if (signal.aborted) {
      screen.live(undefined);
      io.exit(EXIT.interrupted);
      return;
    }
    if (isAsking()) screen.prompt("\n");
    screen.lines([
      paint(
        "warn",
        why === "unread"
          ? "Interrupted: nobody reads the output any more"
          : "Interrupted: ending what runs. Press Ctrl-C again to leave at once",
      ),
    ]);
    controller.abort(new CancelledError("The run was interrupted"));
  };
  const ends = [io.onInterrupt(interrupt), io.onStray(error => void onStray(error))];
  return {
    signal,
    interrupt,
    hasStray() {
      if (signal.reason instanceof DeployError) throw signal.reason;
      return hasStray;
    },
    end: () => ends.forEach(end => end()),
  };
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
