/** Running one operation on one host. @module */
import { unlessAborted } from "../../core/abort.ts";
import type { ConnectionLostError } from "../../core/errors.ts";
import type { Engine } from "../engine.ts";
import type { OutcomeType } from "../events.ts";
import type { OperationCall } from "../host-state.ts";
import { reportError } from "../report.ts";
import { stopwatch } from "../stopwatch.ts";
import { loseAhead } from "./ahead.ts";
import { type Attempt, type Ending, newAttempt, printedBy } from "./attempt.ts";
import { asksFor } from "./condition-scope.ts";
import { answerOf, decided } from "./conditions.ts";
import { asOperationError } from "./operation-error.ts";
import { OperationView } from "./operation-host.ts";
import { mayBeTriedAgain } from "./retryable.ts";
import { eachCommand } from "./steps.ts";
import { takeAhead, tryOnce } from "./try-once.ts";

/** Run an operation: its condition, its tries, its outcome. Rejects only when the run was interrupted before it began. */
export async function perform(engine: Engine, call: OperationCall, id: string, nestedIn?: string): Promise<Ending> {
  const { clock, emit, givenUp, signal } = engine.settings;
  signal.throwIfAborted();
  call.hasBegun = true;
  const seconds = stopwatch(clock);
  emit({ type: "operation:host:start", id, operation: call.name, host: call.host.name });
  const tries: Attempt[] = [];
  const { session } = call.host;
  const { left } = session;
  let hasEnded = false;
  const work = tryUntilDone(engine, call, id, tries).finally(() => (hasEnded = true));
  const outcome = await unlessAborted(work, givenUp).catch((error: unknown): OutcomeType => {
    if (!signal.aborted) throw error;
    return "interrupted";
  });
  const isLeft = outcome === "interrupted" && (!hasEnded || session.left > left);
  // What was sent behind what failed does not run.
  if (outcome === "failed" || outcome === "ignored") call.host.ahead = undefined;
  const ending = end(engine, call, { id, outcome, tries, seconds: seconds(), nested: nestedIn !== undefined, isLeft });
  const { error } = lastOf(tries);
  if (tries.some(mayHaveChanged) && call.operation.freshLogin) call.host.session.endShells();
  if (outcome === "failed" && nestedIn === undefined) call.host.error ??= error;
  return ending;
}

/** The tries of an operation, until one succeeds or none is left. Rejects only when the run is interrupted. */
async function tryUntilDone(engine: Engine, call: OperationCall, id: string, tries: Attempt[]): Promise<OutcomeType> {
  const { clock, emit, signal } = engine.settings;
  const retries = call.how.all._retries ?? 0;
  const { leftRunning } = call.host;
  let attempt = newAttempt();
  tries.push(attempt);
  if (!(await takeAhead(engine, call, attempt))) {
    // The shell may have ended on the way.
    attempt = { ...newAttempt(), hasBegun: attempt.commands.length > 0 };
    tries[0] = attempt;
    await tryOnce(engine, call, attempt, performNested);
  }
  if (attempt.error) await loseAhead(call, attempt.error);
  for (
    let retry = 1;
    retry <= retries && wantsRetry(engine, call, attempt) && !leavesRunning(engine, call, leftRunning);
    retry++
  ) {
    const delay = call.how.all._retryDelay ?? 5;
    emit({
      type: "operation:retry",
      id,
      operation: call.name,
      host: call.host.name,
      attempt: retry,
      retries,
      delay,
      ...(attempt.error ? { error: reportError(attempt.error) } : {}),
    });
    await clock.sleep(delay, signal);
    // What was not so may be so by now.
    call.host.facts.forget();
    attempt = newAttempt();
    tries.push(attempt);
    call.nested = [];
    await tryOnce(engine, call, attempt, performNested);
    if (attempt.error) await loseAhead(call, attempt.error);
  }
  signal.throwIfAborted();
  if (attempt.error) return call.how.all._ignoreErrors ? "ignored" : "failed";
  // What an earlier try had done, or may have, is done.
  return tries.some(mayHaveChanged) ? "changed" : "unchanged";
}

/** An operation that was sent ahead and may have run, before the run was interrupted or, as `lost` says, the connection lost. */
export function tellUnknown(engine: Engine, call: OperationCall, id: string, lost?: ConnectionLostError): Ending {
  const { emit } = engine.settings;
  emit({ type: "operation:host:start", id, operation: call.name, host: call.host.name });
  const error = lost && asOperationError(engine, call, lost);
  const outcome = !error ? "interrupted" : call.how.all._ignoreErrors ? "ignored" : "failed";
  const tries = [{ ...newAttempt(), hasBegun: true, error }];
  return end(engine, call, { id, outcome, tries, seconds: 0, nested: false });
}

/** How an operation has ended. */
interface Ended {
  readonly id: string;
  readonly outcome: OutcomeType;
  readonly tries: readonly Attempt[];
  readonly seconds: number;
  readonly nested: boolean;
  /** What it sent could not be ended, as far as is known. */
  readonly isLeft?: boolean;
}

/** Tell how an operation ended. */
function end(
  { kept, settings: { emit } }: Engine,
  call: OperationCall,
  { tries, isLeft = false, ...told }: Ended,
): Ending {
  const { outcome } = told;
  const { error, noop, others, results } = lastOf(tries);
  const notRun = call.nested.filter(({ hasBegun }) => !hasBegun).map(({ name }) => name);
  call.nested = [];
  const retryAttempts = Math.max(0, tries.length - 1);
  const hasSucceeded = outcome === "changed" || outcome === "unchanged";
  const unfinished = !hasSucceeded && tries.some(({ hasBegun }) => hasBegun);
  call.completion = { outcome, results, retryAttempts };
  kept.add(call.completion);
  emit({
    type: "operation:host:end",
    ...told,
    operation: call.name,
    host: call.host.name,
    commands: tries.reduce((sum, one) => sum + one.executed, 0),
    retryAttempts,
    ...(noop !== undefined && outcome === "unchanged" ? { noop } : {}),
    ...(error && outcome !== "interrupted" ? { error: reportError(error) } : {}),
    ...(unfinished ? { unfinished } : {}),
    ...(unfinished && isLeft ? { mayStillRun: true } : {}),
    ...(notRun.length > 0 ? { notRun } : {}),
  });
  return { outcome, unfinished, error, others };
}

const mayHaveChanged = ({ executed, hasBegun }: Attempt): boolean => executed > 0 || hasBegun;

const lastOf = (tries: readonly Attempt[]): Attempt => tries.at(-1) ?? newAttempt();

/** Evaluate an operation up to its first command: that one proves a change, or that a condition may lead to one. */
export async function forecast(engine: Engine, call: OperationCall): Promise<boolean> {
  const view = new OperationView(engine, call);
  if (view.asked) call.asked = view.asked;
  const changes = await yieldsCommand(call, view, true);
  if (changes && call.hasConditions)
    call.changesAnyway = await yieldsCommand(call, new OperationView(engine, call, undefined, true), false);
  return changes;
}

/** `answer` stands for all conditions among the arguments. */
const yieldsCommand = (call: OperationCall, view: OperationView, answer: boolean): Promise<boolean> =>
  eachCommand(call, view, decided(call, answer), () => true);

/** An operation that a callback declared runs at once, as a part of the one around it. */
const performNested = (engine: Engine, call: OperationCall, within: OperationCall): Promise<Ending> =>
  perform(engine, call, call.declaration.id, within.name);

/** Whether a command of the operation may still run, though a callback caught what it was told of that: nothing else would say so. */
function leavesRunning({ settings: { emit } }: Engine, { host, name }: OperationCall, before: number): boolean {
  if (host.leftRunning === before) return false;
  const message = `${name} is not tried again: one of its commands could not be ended in time, and may still run there`;
  emit({ type: "log", level: "warn", host: host.name, message });
  return true;
}

function wantsRetry(engine: Engine, call: OperationCall, attempt: Attempt): boolean {
  if (attempt.error) return [attempt.error, ...attempt.others].every(mayBeTriedAgain);
  const { _retryUntil } = call.how.all;
  if (!_retryUntil || attempt.executed === 0) return false;
  const { commands, executed, results } = attempt;
  const { stdoutLines, stderrLines, isCut } = printedBy(results);
  const report = {
    stdoutLines,
    stderrLines,
    isCut,
    commands,
    executedCommands: executed,
    host: call.host.name,
    operation: call.name,
  };
  try {
    return answerOf(asksFor(engine, call), "The condition in `_retryUntil`", () => _retryUntil(report));
  } catch (error) {
    // Nobody knows whether it came to what was wanted.
    attempt.error = asOperationError(engine, call, error);
    return false;
  }
}
