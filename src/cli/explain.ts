/** What a deploy file threw, as an error with the user's own line and, where it is a misspelt name, the nearest one. @module */
import { DeployError, DeployLoadError, TsinfraError } from "../core/errors.ts";
import { importProblem, isImportFailure, THROW_ERRORS } from "../core/load-error.ts";
import { limitReached } from "../core/limits.ts";
import { errorText, isOurMistake, shown } from "../core/thrown.ts";
import { begunModules, thrownPlaces } from "../deploy/index.ts";
import { onMore, shownWhere } from "../engine/report.ts";
import { callHint } from "./call-hint.ts";
import { systemProblem } from "./exit.ts";
import { importHint } from "./import-hint.ts";

/** An error of the user's code with its place; anything else stays what it is. */
export async function explained(error: unknown): Promise<unknown> {
  if (error instanceof TsinfraError) {
    if (Object.isFrozen(error)) return error;
    if (error.at === undefined) [error.at, ...error.callers] = thrownPlaces(error);
    error.hint ??= await importHint(error.message, error.at);
    return error;
  }
  const [at, ...callers] = thrownPlaces(error);
  if (!(error instanceof Error))
    return new DeployError(`${at?.file ?? suspects()} threw ${shown(error)}`, { at, callers, hint: THROW_ERRORS });
  if (!at)
    return isNoDeploys(error)
      ? error
      : new DeployError(`${suspects()} threw ${errorText(error)}`, { cause: error, hint: UNAWAITED });
  const { host, more = 0 } = shownWhere(error) ?? {};
  const details = { at, callers, cause: error, host };
  if (isImportFailure(error)) {
    const problem = importProblem(error);
    return new DeployLoadError(problem + onMore(more), { ...details, hint: await importHint(problem, at) });
  }
  const message = errorText(error).replace(/^Error(?:: |$)/, "") || "An error without a message was thrown";
  const brief = message.replace(/\.? \(In '.*$/s, "");
  return new DeployError(brief + onMore(more), { ...details, hint: await callHint(message) });
}

/** Whose it may be where no place is known: the files of the user's that have run. */
function suspects(): string {
  const files = [...begunModules];
  return files.length === 0 || files.length > SUSPECTS ? "Something in your files" : files.join(" or ");
}
const SUSPECTS = 3;
const UNAWAITED = "Put `await` before every call that gives a promise: what nobody waits for does not know its line";

/** Nothing of the user's has thrown it. */
const isNoDeploys = (error: Error): boolean =>
  isOurMistake(error) || limitReached(error) !== undefined || systemProblem(error) !== undefined;
