/** The five stages of a run, with the question in their middle. @module */
import { dirname } from "node:path";
import { CancelledError, TooManyFailuresError } from "../core/errors.ts";
import type { Run } from "../engine/run.ts";
import type { Deploy } from "../engine/settings.ts";
import { EXIT, type ExitCode } from "./exit.ts";
import { ArgumentError } from "./parse.ts";
import type { Session, ViewMode } from "./session.ts";
import { hostList } from "./views/hosts.ts";
import { plural } from "./views/text.ts";
import type { EngineEvent } from "../engine/events.ts";

/** How a command runs its deploys. */
export interface StageOptions extends ViewMode {
  /** Go ahead without showing what would change. */
  readonly isUnasked?: boolean;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** Connect, prepare, ask, execute and, whatever happened, disconnect. `load` is called after the inventory is known. */
export async function runStages(
  session: Session,
  load: () => Promise<readonly Deploy[]>,
  options: StageOptions = {},
): Promise<ExitCode> {
  try {
    const deploys = await explaining(load);
    const file = deploys[0]?.file;
    const { run } = await session.start(
      { ...options, ...(file === undefined ? {} : { deployDir: dirname(file) }) },
      options.onEvent,
    );
    try {
      await run.connect();
      const code = await changeHosts(session, run, deploys, options);
      return (await session.hasStray()) ? EXIT.failed : code;
    } catch (error) {
      // What ended the run is what is told, not that it was ended.
      if (error instanceof CancelledError) await session.hasStray();
      throw error;
    } finally {
      await run.disconnect();
    }
  } finally {
    session.close();
  }
}

async function changeHosts(
  session: Session,
  run: Run,
  deploys: readonly Deploy[],
  { isUnasked = false }: StageOptions,
): Promise<ExitCode> {
  // With nobody left the results still say why.
  if (run.activeHosts.length > 0) {
    await explaining(() => unlessGivenUp(session, run.prepare(deploys), 3));
    if (session.options["debug-operations"]) return printOperations(session, run);
    const stop = isUnasked ? undefined : await propose(session, run);
    if (stop !== undefined) return stop;
  }
  try {
    await unlessGivenUp(session, run.execute(), 10);
  } catch (error) {
    // The results have told it; the message says which rule ended the run.
    if (!(error instanceof TooManyFailuresError)) throw error;
    if (run.activeHosts.length > 0) session.screen.lines([`${session.paint("fail", "Stopped:")} ${error.message}`]);
    return EXIT.failed;
  }
  return codeOf(run);
}

/** A deploy file or a callback may wait for something of its own, which no interruption reaches: some seconds later it is waited for no longer. */
async function unlessGivenUp<T>({ signal }: Session, work: Promise<T>, seconds: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = (): void => void (timer = setTimeout(() => reject(signal.reason), seconds * 1000));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  }
}

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
async function propose(session: Session, run: Run): Promise<ExitCode | undefined> {
  const { options, prompts, screen, paint, isYes } = session;
  const proposed = run.propose();
  if (options.dry) return codeOf(run);
  const changes = proposed.filter(({ change, conditional }) => change.length + conditional.length > 0);
  // Running what changes nothing needs no permission, and its results are what was asked for.
  if (isYes || (changes.length === 0 && run.failedHosts.length === 0)) return undefined;
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
  if (await prompts.confirm("Go on? [Y/n]", true)) return undefined;
  screen.lines(["Nothing was changed"]);
  return EXIT.ok;
}

function printOperations({ screen }: Session, run: Run): ExitCode {
  screen.data(JSON.stringify(run.propose(), null, 2));
  return codeOf(run);
}

export const codeOf = (run: Run): ExitCode => (run.failedHosts.length > 0 ? EXIT.failed : EXIT.ok);
