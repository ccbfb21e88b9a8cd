/** Running one operation on one host. @module */
import type { TsinfraError } from "../../core/errors.ts";
import type { Engine } from "../engine.ts";
import type { OutcomeType } from "../events.ts";
import type { OperationCall } from "../host-state.ts";
import { reportError } from "../report.ts";
import { type Attempt, printedBy } from "./attempt.ts";
import { OperationView } from "./operation-host.ts";
import { takeAhead, tryOnce } from "./try-once.ts";

/** Run an operation: its condition, its attempts, its outcome. Never rejects, except when the run is cancelled. */
export async function perform(
  engine: Engine,
  call: OperationCall,
  id: string,
  nestedIn?: string,
): Promise<OutcomeType> {
  const { clock, emit, signal } = engine.settings;
  const started = clock.now();
  const operation = call.name;
  const host = call.host.name;
  emit({ type: "operation:host:start", id, operation, host });

  const retries = call.how.all._retries ?? 0;
  let retryAttempts = 0;
  let attempt = (await takeAhead(engine, call)) ?? (await tryOnce(engine, call, performNested));
  while (retryAttempts < retries && (attempt.error ? isRetryable(attempt.error) : wantsRetry(engine, call, attempt))) {
    const delay = call.how.all._retryDelay ?? 5;
    retryAttempts++;
    emit({
      type: "operation:retry",
      id,
      operation,
      host,
      attempt: retryAttempts,
      retries,
      delay,
      ...(attempt.error ? { error: reportError(attempt.error) } : {}),
    });
    await clock.sleep(delay, signal);
    attempt = await tryOnce(engine, call, performNested);
  }
  signal.throwIfAborted();
  // What was sent behind what failed does not run.
  if (attempt.error) call.host.ahead = undefined;

  const { error, executed, noop, results } = attempt;
  const outcome: OutcomeType = error
    ? call.how.all._ignoreErrors
      ? "ignored"
      : "failed"
    : executed > 0
      ? "changed"
      : "unchanged";
  call.completion = { outcome, results, retryAttempts };
  emit({
    type: "operation:host:end",
    id,
    operation,
    host,
    outcome,
    commands: executed,
    retryAttempts,
    seconds: (clock.now() - started) / 1000,
    nested: nestedIn !== undefined,
    ...(noop !== undefined && outcome === "unchanged" ? { noop } : {}),
    ...(error ? { error: reportError(error) } : {}),
  });
  if (executed > 0 && call.operation.freshLogin) call.host.session.endShells();
  if (outcome === "failed" && nestedIn === undefined) call.host.error ??= error;
  return outcome;
}

/** Evaluate an operation up to its first command: that one proves a change. */
export async function forecast(engine: Engine, call: OperationCall): Promise<boolean> {
  const view = new OperationView(engine, call);
  if (view.asked) call.asked = view.asked;
  for await (const _ of call.operation.steps(view, call.args)) return true;
  return false;
}

/** An operation that a callback declared runs at once, as a part of the one around it. */
const performNested = (engine: Engine, call: OperationCall, within: OperationCall): Promise<OutcomeType> =>
  perform(engine, call, call.declaration.id, within.name);

/** A refused password is not offered again: it could lock the account. */
const isRetryable = (error: TsinfraError): boolean => error.code !== "E_ESCALATION";

function wantsRetry(engine: Engine, call: OperationCall, attempt: Attempt): boolean {
  const { _retryUntil } = call.how.all;
  if (!_retryUntil || attempt.executed === 0) return false;
  const { commands, executed, results } = attempt;
  try {
    const { stdoutLines, stderrLines, isCut } = printedBy(results);
    return _retryUntil({
      stdoutLines,
      stderrLines,
      isCut,
      commands,
      executedCommands: executed,
      host: call.host.name,
      operation: call.name,
    });
  } catch (error) {
    engine.settings.emit({
      type: "log",
      level: "warn",
      host: call.host.name,
      message: `_retryUntil of ${call.name} threw: ${error instanceof Error ? error.message : error}`,
    });
    return false;
  }
}
