/** Run one operation on a test host and say what it did. @module */
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type ConnectorArguments, GLOBAL_ARGUMENTS, type GlobalArguments } from "../../src/core/arguments.ts";
import { type Download, raw, Secret, sh, type Shell, type Upload } from "../../src/core/command.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import { CommandError } from "../../src/core/errors.ts";
import type { Fact } from "../../src/core/fact.ts";
import type { CommandResult, HostControl, OperationHost } from "../../src/core/host.ts";
import type { OperationDefinition } from "../../src/core/operation.ts";
import type { Command } from "../../src/core/steps.ts";
import { localFiles } from "./local-files.ts";
import { type Executed, localHost, type TestHost } from "./test-host.ts";

export { chrootHost, localHost, mustRun, type TestHost } from "./test-host.ts";

/** Where and how to apply an operation. */
export interface ApplyOptions {
  /** Default: this machine. */
  readonly host?: TestHost;
  /** Connector arguments for its facts and commands; here `_env`, `_chdir` and `_stdin`. */
  readonly globals?: GlobalArguments;
  /** Directory that relative local paths start from; default: the working directory. */
  readonly deployDir?: string;
  /** Ask the operation for diffs. */
  readonly diff?: boolean;
}

/** What an operation did. */
export interface Applied {
  /** At least one command was run. */
  readonly changed: boolean;
  /** Commands as printed, secrets masked. */
  readonly commands: readonly string[];
  readonly noops: readonly string[];
  readonly warnings: readonly string[];
  readonly diffs: readonly Diff[];
  /** Output of its commands, joined. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface Diff {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | Secret | undefined;
}

/** Bring a host into the state that an operation describes. Throws what the operation throws, and `CommandError` when a command fails. */
export async function apply<A extends object>(operation: OperationDefinition<A>, args: A, options: ApplyOptions = {}): Promise<Applied> {
  const host = options.host ?? localHost();
  const globals = options.globals ?? {};
  const report = { commands: [] as string[], noops: [] as string[], warnings: [] as string[], diffs: [] as Diff[], stdout: "", stderr: "" };
  const execute = async (command: Shell, extra: ConnectorArguments = {}): Promise<CommandResult> => {
    const merged = { ...globals, ...extra };
    const ended = await host.exec(wrapped(command, merged).wire(), stdinOf(merged));
    report.stdout += ended.stdout;
    report.stderr += ended.stderr;
    if (!(merged._successExitCodes ?? [0]).includes(ended.exitCode)) throw failure(command, ended);
    return resultOf(ended);
  };
  const tempFiles: string[] = [];
  const operationHost = makeHost(host, options, report, tempFiles);
  try {
    for await (const command of operation.steps(operationHost, args)) {
      report.commands.push(describe(command));
      await run(command, host, execute, makeControl(host, operationHost, execute));
    }
  } finally {
    if (tempFiles.length > 0) await host.exec(sh`rm -rf ${tempFiles}`.wire());
  }
  return { changed: report.commands.length > 0, ...report };
}

/** Apply twice: the first time must change something, the second nothing. Gives back the first. */
export async function applyTwice<A extends object>(operation: OperationDefinition<A>, args: A, options: ApplyOptions = {}): Promise<Applied> {
  const first = await apply(operation, args, options);
  if (!first.changed) throw new Error(`${operation.name} changed nothing the first time: ${first.noops.join("; ")}`);
  const second = await apply(operation, args, options);
  if (second.changed) throw new Error(`${operation.name} is not idempotent, the second time it ran:\n${second.commands.join("\n")}`);
  return first;
}

/** Ask a fact of a test host. */
export async function askFact<A extends object, T>(fact: Fact<A, T>, args: A, host: TestHost = localHost(), globals: ConnectorArguments = {}): Promise<T> {
  if ("from" in fact) return fact.derive((await askFact(fact.from, args, host, globals)) as never, args);
  const variant = fact.variant && fact.variant.when?.(args) !== false ? fact.variant.choose(await askFact(fact.variant.by, {}, host, globals), args) : undefined;
  if (variant) return askFact(variant, args, host, globals);
  const tool = typeof fact.requires === "function" ? fact.requires(args) : fact.requires;
  if (tool && (await host.exec(sh`command -v ${tool}`.wire())).exitCode !== 0) return fact.empty;
  const command = fact.command(args);
  const ended = await host.exec(wrapped(command, globals).wire(), stdinOf(globals));
  if (ended.exitCode !== 0) throw failure(command, ended);
  const lines = linesOf(ended.stdout);
  return lines.length === 0 ? fact.empty : fact.parse(lines, args);
}

type Report = Pick<Applied, "stdout" | "stderr"> & { noops: string[]; warnings: string[]; diffs: Diff[] };
type Execute = (command: Shell, extra?: ConnectorArguments) => Promise<CommandResult>;

function makeHost(host: TestHost, options: ApplyOptions, report: Report, tempFiles: string[]): OperationHost {
  const names = new Map<string, string>();
  return {
    name: "test-host",
    groups: ["all"],
    data: {},
    config: DEFAULT_CONFIG,
    local: localFiles(options.deployDir ?? process.cwd()),
    wantsDiff: options.diff ?? false,
    getFact: (fact, ...given) => {
      const [own, facts] = divide(given[0] ?? {});
      return askFact(fact, own as never, host, { ...options.globals, ...facts });
    },
    noop: reason => void report.noops.push(reason),
    warn: message => void report.warnings.push(message),
    showDiff: (path, before, after) => void report.diffs.push({ path, before, after }),
    tempDir: async () => "/tmp",
    async tempFile(key = "") {
      const known = names.get(key) ?? `/tmp/tsinfra-${randomBytes(12).toString("hex")}`;
      names.set(key, known);
      tempFiles.push(known);
      return known;
    },
    timestamp: () => "2601010000",
  };
}

const makeControl = (host: TestHost, operationHost: OperationHost, execute: Execute): HostControl => ({
  name: operationHost.name,
  groups: operationHost.groups,
  data: operationHost.data,
  getFact: operationHost.getFact,
  run: execute,
  disconnect: async () => {},
  connect: async () => void (await host.exec("true")),
  sleep: seconds => Bun.sleep(seconds * 1000),
  now: () => performance.now(),
  log: () => {},
});

async function run(command: Command, host: TestHost, execute: Execute, control: HostControl, extra: ConnectorArguments = {}): Promise<void> {
  switch (command.kind) {
    case "shell":
      return void (await execute(command, extra));
    case "configured":
      return run(command.command, host, execute, control, command.arguments);
    case "upload":
      return sendFile(command, host);
    case "download":
      return fetchFile(command, host);
    case "function":
      return void (await command.run(control));
    case "rsync":
      throw new Error("A test host has no rsync");
  }
}

async function sendFile(upload: Upload, host: TestHost): Promise<void> {
  const { source, dest, mode, user, group } = upload;
  const content = "path" in source ? await Bun.file(source.path).bytes() : source.content;
  const bytes = content instanceof Uint8Array ? content : new TextEncoder().encode(content instanceof Secret ? content.reveal() : content);
  const owner = user || group ? sh`chown ${`${user ?? ""}${group ? `:${group}` : ""}`} "$t"` : sh`{ [ ! -e "$d" ] || chown "$(stat -c %u:%g "$d")" "$t"; }`;
  const bits = mode ? sh`chmod ${mode} "$t"` : sh`if [ -e "$d" ]; then chmod "$(stat -c %a "$d")" "$t"; else chmod "$(printf %o $((0666 & ~$(umask))))" "$t"; fi`;
  const line = sh`d=${dest}; [ ! -d "$d" ] || { echo "$d is a directory" >&2; exit 1; }; t=$(mktemp ${`${dirname(dest)}/.upload.XXXXXX`}) && cat > "$t" && ${owner} && ${bits} && mv -f "$t" "$d"`;
  const ended = await host.exec(line.wire(), bytes);
  if (ended.exitCode !== 0) throw failure(sh`upload ${raw(dest)}`, ended);
}

async function fetchFile({ src, dest }: Download, host: TestHost): Promise<void> {
  const command = sh`base64 < ${src}`;
  const ended = await host.exec(command.wire());
  if (ended.exitCode !== 0) throw failure(command, ended);
  await mkdir(dirname(dest), { recursive: true });
  await writeFile(dest, Buffer.from(ended.stdout, "base64"));
}

function wrapped(command: Shell, args: ConnectorArguments): Shell {
  const escalation = (["_sudo", "_suUser", "_doas", "_dzdo"] as const).find(key => args[key]);
  if (escalation) throw new Error(`A test host does not know ${escalation}: use a host of tests/support/hosts.ts`);
  const env = Object.entries(args._env ?? {}).map(([key, value]) => sh`${raw(key)}=${value}; export ${raw(key)}; `);
  const directory = args._chdir ? sh`cd ${args._chdir} && ` : sh``;
  return env.length > 0 || args._chdir ? sh`${raw(env.map(one => one.wire()).join(""))}${directory}${command}` : command;
}

function stdinOf({ _stdin }: ConnectorArguments): Uint8Array | undefined {
  if (_stdin === undefined || _stdin instanceof Uint8Array) return _stdin;
  const text = _stdin instanceof Secret ? _stdin.reveal() : typeof _stdin === "string" ? _stdin : _stdin.map(line => `${line}\n`).join("");
  return new TextEncoder().encode(text);
}

/** An argument that starts with an underscore is for the connector, not for the fact. */
function divide(args: object): [own: object, globals: ConnectorArguments] {
  const isGlobal = ([key]: [string, unknown]) => key in GLOBAL_ARGUMENTS && key !== "name";
  const entries = Object.entries(args);
  return [Object.fromEntries(entries.filter(entry => !isGlobal(entry))), Object.fromEntries(entries.filter(isGlobal))];
}

function describe(command: Command): string {
  switch (command.kind) {
    case "shell":
      return command.toString();
    case "configured":
      return describe(command.command);
    case "upload":
      return `upload ${"path" in command.source ? command.source.path : "content"} to ${command.dest}`;
    case "download":
      return `download ${command.src} to ${command.dest}`;
    case "rsync":
      return `rsync ${command.src} to ${command.dest}`;
    case "function":
      return `call ${command.name}`;
  }
}

const linesOf = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split(/\r?\n/));
const resultOf = ({ exitCode, stdout, stderr }: Executed): CommandResult => ({
  exitCode,
  stdout,
  stderr,
  stdoutLines: linesOf(stdout),
  stderrLines: linesOf(stderr),
});
const failure = (command: Shell, { exitCode, stdout, stderr }: Executed): CommandError =>
  new CommandError(`Command failed with exit code ${exitCode}: ${command}\n${stderr || stdout}`, { exitCode, stdout, stderr });
