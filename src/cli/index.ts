/** The command line: from arguments to an exit code. @module */
import { CancelledError, type LocalFileError, TsinfraError } from "../core/errors.ts";
import { describeError, EXIT, type ExitCode } from "./exit.ts";
import { closedOutput } from "./outlet.ts";
import type { Io } from "./io.ts";
import { OPTIONS, type OptionValues } from "./options.ts";
import { ArgumentError, type CommandLine, parseCommandLine } from "./parse.ts";
import { type CommandName, routeOf, verbOf } from "./route.ts";
import { type Context, createContext } from "./context.ts";
import { Interrupts } from "./interrupts.ts";
import { Screen } from "./screen.ts";
import { RecordFile } from "./record.ts";
import { fatalLines } from "./views/errors.ts";
import { noPaint } from "./views/paint.ts";

export { processIo } from "./io.ts";

/** Run a command line. Never rejects. */
export async function runCli(args: readonly string[], version: string, io: Io): Promise<ExitCode> {
  const problem = closedOutput(io.closed);
  if (problem) return tellClosed(io, problem, args.includes("--json"));
  const screen = new Screen(io.stdout, io.stderr);
  const interrupts = new Interrupts(io, screen, { paint: () => context.paint, tell: error => void fail(error) });
  let context = createContext({ io, screen, interrupts }, NO_OPTIONS);
  let code: ExitCode;
  const fail = (error: unknown): ExitCode => report(context, error, screen.hasEvents || args.includes("--json"));
  const failBy = (problem: TsinfraError): ExitCode => {
    interrupts.isProblemTold = true;
    return fail(problem);
  };
  try {
    const line = parseCommandLine(args);
    context = createContext(context, line.options);
    code = await runLine(context, line, version);
    const hadStrays = await interrupts.hadStrays();
    if (interrupts.problem) code = failBy(interrupts.problem);
    else if (hadStrays) code = EXIT.failed;
  } catch (error) {
    interrupts.failure = error;
    await interrupts.hadStrays();
    // What was interrupted says so; why, is told in its place.
    const { problem } = interrupts;
    code =
      problem && (error === problem || error instanceof CancelledError) ? failBy(problem) : fail(await placed(error));
  }
  // A log without its end is that of a run that was killed.
  if (context.shard && screen.hasEvents) screen.event({ type: "shard:end", ...{ exitCode: code } }, io.clock.now());
  await io.flush();
  // A disk may be full for the last words alone.
  if (interrupts.problem && !interrupts.isProblemTold) {
    code = failBy(interrupts.problem);
    await io.flush();
  }
  interrupts.close();
  return code;
}

/** Wherever code of the user's runs, as a getter of a connector does that is looked at, it is told at its line. */
async function placed(error: unknown): Promise<unknown> {
  if (error instanceof TsinfraError) return error;
  const { begunModules, thrownPlaces } = await import("../deploy/index.ts");
  if (!thrownPlaces(error).some(({ file }) => begunModules.has(file))) return error;
  const { explained } = await import("./explain.ts");
  return explained(error);
}

/** Say on what is left, before anything is done, that output would be lost. */
async function tellClosed(io: Io, problem: LocalFileError, isJson: boolean): Promise<ExitCode> {
  const { report: described, exitCode } = describeError(problem);
  const lines = fatalLines(described, noPaint, COLUMNS);
  const isClosed = { out: io.closed.includes("stdout"), err: io.closed.includes("stderr") };
  if (!isClosed.err) new Screen(io.stdout, io.stderr).lines(lines);
  else if (isClosed.out) new RecordFile(io.environment, new Date(io.clock.now())).write(lines);
  else if (isJson) new Screen(io.stdout, io.stderr).event({ type: "error", ...{ error: described } }, io.clock.now());
  else new Screen(io.stdout, io.stdout).lines(lines);
  await io.flush();
  return exitCode;
}
const COLUMNS = 120;

async function runLine(context: Context, line: CommandLine, version: string): Promise<ExitCode> {
  const { io, options } = context;
  if (options.version) return print(context, version);
  if (options.help || isHelp(line)) return help(context, helpTopic(line));
  if (line.words.length === 0 && line.rest === undefined) return usage(context);
  if (options.chdir !== undefined) changeDirectory(io, options.chdir);
  const { runRoute } = await import("./tree.ts");
  return runRoute(context, await routeOf(line, io.cwd(), isOperationModule));
}

const NO_OPTIONS = Object.fromEntries(
  Object.entries(OPTIONS).map(([name, { kind }]) => [name, kind === "list" ? [] : kind === "count" ? 0 : undefined]),
) as unknown as OptionValues;

function print({ screen }: Context, text: string): ExitCode {
  screen.data(text);
  return EXIT.ok;
}

async function help(context: Context, topic: CommandName | undefined): Promise<ExitCode> {
  const { commandHelp, rootHelp } = await import("./help.ts");
  const { colorPaint, wantsColor } = await import("./views/paint.ts");
  const { io, options } = context;
  const paint = wantsColor(options["no-color"] === true, io.environment, io.stdout.isTTY === true)
    ? colorPaint
    : noPaint;
  return print(context, topic === undefined ? await rootHelp(paint) : await commandHelp(topic, paint));
}

/** `help` or `help TOPIC`; anything more is about a host of that name. */
const isHelp = ({ words, rest }: CommandLine): boolean =>
  words[0] === "help" &&
  rest === undefined &&
  (words.length === 1 || (words.length === 2 && verbOf(words.slice(1)) !== undefined));

const helpTopic = ({ words }: CommandLine): CommandName | undefined => {
  const topic = verbOf(words[0] === "help" ? words.slice(1) : words);
  if (topic !== undefined || words.length < 2) return topic;
  return /\.[mc]?[tj]s$/.test(words[1] ?? "") ? "deploy" : "operation";
};

async function usage(context: Context): Promise<ExitCode> {
  const { rootHelp } = await import("./help.ts");
  context.screen.lines((await rootHelp(context.paint)).split("\n"));
  return EXIT.usage;
}

function changeDirectory(io: Io, directory: string): void {
  try {
    io.chdir(directory);
  } catch {
    throw new ArgumentError(`Cannot change to the directory "${directory}"`);
  }
}

async function isOperationModule(name: string): Promise<boolean> {
  const { allOperations } = await import("../registry.ts");
  return [...allOperations.keys()].some(operation => operation.startsWith(`${name}.`));
}

/** Tell an error once, and give its exit code. */
function report({ screen, paint, io }: Context, error: unknown, isJson: boolean): ExitCode {
  const { report: described, exitCode, stack } = describeError(error);
  if (isJson) screen.event({ type: "error", ...{ error: described } }, io.clock.now());
  screen.live(undefined);
  screen.lines(fatalLines(described, paint, screen.columns));
  if (stack !== undefined && (io.environment["TSINFRA_DEBUG"] ?? "") !== "") screen.lines(stack.split("\n"));
  return exitCode;
}
