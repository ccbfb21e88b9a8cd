/** One try of an operation on one host. @module */
import { sh } from "../../core/command.ts";
import type { Engine } from "../engine.ts";
import type { Ran } from "../host/sending.ts";
import type { OperationCall } from "../host-state.ts";
import { askAhead, type FirstSent, RunAhead } from "./ahead.ts";
import type { Attempt } from "./attempt.ts";
import { asksFor } from "./condition-scope.ts";
import { allHold, decided } from "./conditions.ts";
import { CommandQueue, isSuccess } from "./command-queue.ts";
import { commandError, toCommandResult } from "./commands.ts";
import { asOperationError } from "./operation-error.ts";
import { OperationView } from "./operation-host.ts";
import { lineEmitter } from "./output-lines.ts";
import { eachCommand } from "./steps.ts";
import type { Performs } from "./callback.ts";

/** Evaluate an operation with fresh facts and run its commands. Rejects only when the run is interrupted. */
export async function tryOnce(
  engine: Engine,
  call: OperationCall,
  attempt: Attempt,
  performs: Performs,
): Promise<void> {
  const queue = new CommandQueue(engine, call, attempt, performs);
  // A fact asked after a command was yielded is asked after it ran.
  const view = new OperationView(engine, call, queue);
  const asks = asksFor(engine, call);
  try {
    if (!allHold(asks, call.how.all._if)) {
      attempt.noop = "its condition is false";
      return;
    }
    await eachCommand(call, view, decided(call, asks), command => queue.add(command));
    if (!queue.isEmpty) {
      const { behind, done } = await queue.send();
      if (behind) sendAhead(engine, call, view, { commands: attempt.commands, behind });
      await done;
    }
    attempt.noop = view.noopReason;
  } catch (error) {
    engine.settings.signal.throwIfAborted();
    // What was yielded before something else went wrong is due.
    await queue.flush().catch(() => undefined);
    const failure = asOperationError(engine, call, error);
    if (attempt.error) attempt.others.push(failure);
    else attempt.error = failure;
  } finally {
    await removeTempFiles(engine, call, view, attempt);
  }
}

/** Use the time that a command takes. */
function sendAhead(
  engine: Engine,
  call: OperationCall,
  { asked, tempFiles }: OperationView,
  sent: Omit<FirstSent, "asked">,
): void {
  if (asked && !tempFiles && !call.how.all._continueOnError)
    call.host.ahead = new RunAhead(engine, call, { ...sent, asked });
  // What others do meanwhile may change its answers.
  else if (engine.goesAlone) askAhead(engine, call);
}

/** Nothing stays behind, whatever happened; an operation that ran no command left nothing. */
async function removeTempFiles(
  engine: Engine,
  call: OperationCall,
  view: OperationView,
  attempt: Attempt,
): Promise<void> {
  if (!view.tempFiles || attempt.commands.length === 0) return;
  const { emit, signal } = engine.settings;
  const { host } = call;
  const remove = sh`rm -rf -- ${[...view.tempFiles]}`;
  // Another connection is made where one was lost, and what ends a run does not end this.
  for (let tries = 0; tries < (signal.aborted ? 2 : REMOVALS); tries++) {
    const how = {
      surroundings: call.how.surroundings,
      signal: signal.aborted ? AbortSignal.timeout(FAREWELL) : signal,
    };
    const result = await host.session.run(remove, how).catch(() => undefined);
    if (result?.exitCode === 0) return;
    if (result) break;
  }
  const files = [...view.tempFiles].join(", ");
  emit({ type: "log", level: "warn", host: host.name, message: `Temporary files may be left: ${files}` });
}

/** A connection that is lost again and again is given up. */
const REMOVALS = 4;
/** Milliseconds in which an interrupted run may still tidy up on a host. */
const FAREWELL = 2000;

/** The try that was sent ahead of its turn; false if it was not, or has not run. Rejects only when the run is interrupted. */
export async function takeAhead(engine: Engine, call: OperationCall, attempt: Attempt): Promise<boolean> {
  const { host } = call;
  const { emit, signal } = engine.settings;
  const sent = await host.ahead?.take(call);
  if (!sent) return false;
  attempt.hasBegun = sent.steps.length > 0;
  const lines = lineEmitter(engine.settings, host.name, "operation");
  const begin = (): void => {
    for (const { text } of sent.steps) {
      attempt.commands.push(text);
      emit({ type: "command", host: host.name, command: text, for: "operation" });
    }
  };
  const take = (results: readonly Ran[]): void => {
    for (const [index, ran] of results.entries()) {
      const { command, upload } = sent.steps[index]!;
      if (upload) host.session.transfers.uploaded(upload.dest, upload.size, ran);
      else {
        const result = toCommandResult(ran);
        attempt.results.push(result);
        if (!isSuccess(call, result)) throw commandError(host.name, command, result);
      }
      attempt.executed++;
    }
  };
  try {
    const results = await sent
      .results(signal, begin, lines.push)
      .finally(lines.end)
      .catch((error: unknown) => {
        take(sent.hadEnded);
        throw error;
      });
    // Its shell has ended on the way: what is missing shows when it is evaluated again.
    const last = results?.at(-1);
    if (!results || (results.length < sent.steps.length && (!last || isSuccess(call, last)))) {
      host.ahead = undefined;
      return false;
    }
    attempt.noop = sent.noopReason;
    take(results);
  } catch (error) {
    signal.throwIfAborted();
    attempt.error = asOperationError(engine, call, error);
  }
  return true;
}
