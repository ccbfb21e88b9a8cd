/** The stages of a run, with the question in their middle. @module */
import { dirname, relative } from "node:path";
import { onAbort, unlessAborted } from "../core/abort.ts";
import { unended } from "../core/awaited.ts";
import { CancelledError, TooManyFailuresError } from "../core/errors.ts";
import type { Run } from "../engine/run.ts";
import type { Deploy } from "../engine/settings.ts";
import { EXIT, type ExitCode } from "./exit.ts";
import { ArgumentError } from "./parse.ts";
import type { Invocation, RunListener, ViewMode } from "./invocation.ts";
import { unendedFiles } from "./record.ts";
import { hostList } from "./views/hosts.ts";
import { plural } from "./views/text.ts";

/** How a command runs its deploys. */
export interface StageOptions extends ViewMode, RunListener {
  /** Go ahead without showing what would change. */
  readonly isUnasked?: boolean;
}

/** Connect, prepare, ask, execute and, whatever happened, disconnect. `load` is called after the inventory is known. */
export async function runStages(
  invocation: Invocation,
  load: () => Promise<readonly Deploy[]>,
  options: StageOptions = {},
): Promise<ExitCode> {
  const { interrupts, paint, screen } = invocation;
  let isSound = false;
  let stopped: TooManyFailuresError | undefined;
  try {
    const { code, run, error } = await allStages(invocation, load, options);
    stopped = error;
    await stragglers(invocation);
    const hadStrays = await interrupts.hadStrays();
    run.expectNothingLate();
    interrupts.signal.throwIfAborted();
    isSound = !hadStrays;
    return code;
  } finally {
    invocation.close(isSound);
    // The results have told what failed; this says which rule ended the run.
    if (stopped) {
      const [what, more] = interrupts.record?.hasUnreached
        ? ["Stopped:", ""]
        : ["Failed:", "; nothing was left to stop"];
      screen.lines([`${paint("fail", what)} ${stopped.message}${more}`]);
    }
  }
}

/** How the stages ended. */
interface Ended {
  readonly code: ExitCode;
  /** Why hosts that are left went no further. */
  readonly error?: TooManyFailuresError;
}

async function allStages(
  invocation: Invocation,
  load: () => Promise<readonly Deploy[]>,
  options: StageOptions,
): Promise<Ended & { readonly run: Run }> {
  const deploys = await explaining(load);
  const file = deploys[0]?.file;
  const run = await invocation.start(
    { ...options, ...(file === undefined ? {} : { deployDir: dirname(file) }) },
    options,
  );
  try {
    await unlessAborted(run.connect(), invocation.interrupts.givenUp).catch((error: unknown) => {
      const hosts = hostList(invocation.interrupts.record?.connecting ?? [], COLUMNS);
      if (!(error instanceof CancelledError) || hosts === "") throw error;
      const what = [`while it connected to ${hosts}`, ...[unended() ?? []].flat()].join(": ");
      throw new CancelledError(`${error.message} ${what}`, { cause: error });
    });
    return { ...(await changeHosts(invocation, run, deploys, options)), run };
  } finally {
    await run.disconnect();
  }
}

/** Give what a deploy file has left waiting the time to show what is wrong with it. */
async function stragglers({ interrupts, io, paint, screen }: Invocation): Promise<void> {
  const aborted = Promise.withResolvers<true>();
  using _ = onAbort(interrupts.signal, () => aborted.resolve(true));
  if (await Promise.race([aborted.promise, io.idle(STRAGGLERS_SECONDS)])) return;
  const { waitingTimers } = await import("../deploy/index.ts");
  const places = waitingTimers().map(({ file, line, column }) => `${relative(io.cwd(), file)}:${line}:${column}`);
  const what =
    places.length === 0
      ? "Something that the deploy began is still waiting, and ends with the run: a timer, a process or a connection"
      : `A timer of the deploy is still waiting, and ends with the run: made at ${places.join(", ")}`;
  screen.lines([`${paint("warn", "Warning:")} ${what}`]);
}

/** What a deploy file has left waiting may still call an operation: a timer, a promise that nobody awaits. It gets so many seconds to be found out. */
const STRAGGLERS_SECONDS = 2;

async function changeHosts(
  invocation: Invocation,
  run: Run,
  deploys: readonly Deploy[],
  { isUnasked = false }: StageOptions,
): Promise<Ended> {
  // With nobody left the results still say why.
  if (run.activeHosts.length > 0) {
    // A deploy file may wait for something of its own, which no interruption reaches; a resolver or a socket may too.
    await explaining(() => unlessAborted(run.prepare(deploys), invocation.interrupts.givenUp)).catch((error: unknown) =>
      Promise.reject(error instanceof CancelledError ? naming(run, error) : error),
    );
    // What nobody waited for may have failed by now.
    await invocation.interrupts.hadStrays();
    invocation.interrupts.signal.throwIfAborted();
    if (invocation.options["debug-operations"]) return { code: printOperations(invocation, run) };
    const stop = isUnasked ? undefined : await propose(invocation, run);
    if (stop !== undefined) return { code: stop };
  }
  try {
    await run.execute();
  } catch (error) {
    if (!(error instanceof TooManyFailuresError)) throw error;
    return { code: EXIT.failed, ...(run.activeHosts.length > 0 ? { error } : {}) };
  }
  return { code: codeOf(run) };
}

/** What was waited for in vain, of an interruption. */
function naming({ evaluating }: Run, error: CancelledError): CancelledError {
  const files = unendedFiles(evaluating, COLUMNS);
  if (files.length === 0) return error;
  return new CancelledError(`${error.message}: ${files.join("; ")}`, {
    hint: "What a deploy file waits for itself hears of no interruption: give it a limit, such as AbortSignal.timeout(10_000)",
    cause: error,
  });
}
const COLUMNS = 80;

/** Errors of the user's code leave with their place. */
async function explaining<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const { explained } = await import("./explain.ts");
    throw await explained(error);
  }
}

/** Show what would change; an exit code when that is all that is to be done. */
async function propose(invocation: Invocation, run: Run): Promise<ExitCode | undefined> {
  const { options, prompts, screen, paint, isJson, isYes } = invocation;
  const proposed = run.propose();
  if (options.dry) {
    if (run.stopped) screen.lines([...(isJson ? [] : [""]), `${paint("fail", "Would stop:")} ${run.stopped.message}`]);
    return codeOf(run);
  }
  const changes = proposed.filter(({ change, conditional }) => change.length + conditional.length > 0);
  // Running what changes nothing needs no permission, and its results are what was asked for.
  if (isYes || run.hasTooManyFailed || (changes.length === 0 && run.failedHosts.length === 0)) return undefined;
  const failed = run.failedHosts;
  const warning =
    failed.length === 0
      ? []
      : [
          "",
          `${paint("fail", `${plural(failed.length, "host")} failed`)} and will be left out: ${hostList(failed, Math.max(20, screen.columns - 40))}`,
        ];
  if (!prompts.isPossible) {
    screen.lines(warning);
    throw new ArgumentError("Nothing was changed: there is no terminal to ask whether to go on", {
      hint: "-y goes on without asking, --dry stops here",
    });
  }
  screen.lines([...warning, ""]);
  if (!(await prompts.confirm("Go on? [Y/n]", true))) {
    screen.lines(["Nothing was changed"]);
    return EXIT.ok;
  }
  run.forgetAnswers();
  return undefined;
}

function printOperations({ screen }: Invocation, run: Run): ExitCode {
  screen.data(JSON.stringify(run.propose(), null, 2));
  return codeOf(run);
}

export const codeOf = (run: Run): ExitCode => (run.failedHosts.length > 0 ? EXIT.failed : EXIT.ok);
