/** Running one operation on one host. @module */
import { sh, type Shell } from "../core/command.ts";
import type { Condition } from "../core/arguments.ts";
import type { HostControl } from "../core/host.ts";
import { ConnectionLostError, DeployError, TsinfraError } from "../core/errors.ts";
import { inScope } from "../core/scope.ts";
import type { Command } from "../core/steps.ts";
import { askAhead, CONNECTION_LOST, RunAhead, uploadText } from "./ahead.ts";
import { commandError, forgetOnce, lineEmitter, runCommands, runDirect, toCommandResult } from "./direct.ts";
import { DeployScope } from "./deploy-scope.ts";
import type { Engine } from "./engine.ts";
import type { OutcomeType } from "./events.ts";
import type { OperationCall } from "./host-state.ts";
import { OperationView, type Yielded } from "./operation-host.ts";
import { reportError, thrownAt } from "./report.ts";
import { type ResolvedArguments, withArguments } from "./resolve.ts";
import type { Behind } from "./shared-shells.ts";

/** What one attempt came to. */
interface Attempt {
  error: TsinfraError | undefined;
  /** As printed, in order. */
  readonly commands: string[];
  /** How many succeeded. */
  executed: number;
  readonly stdoutLines: string[];
  readonly stderrLines: string[];
  noop: string | undefined;
}

const newAttempt = (): Attempt => ({
  error: undefined,
  commands: [],
  executed: 0,
  stdoutLines: [],
  stderrLines: [],
  noop: undefined,
});

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
  let attempt = (await takeAhead(engine, call)) ?? (await tryOnce(engine, call));
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
    attempt = await tryOnce(engine, call);
  }
  signal.throwIfAborted();
  // What was sent behind what failed does not run.
  if (attempt.error) call.host.ahead = undefined;

  const { error, executed, noop, stdoutLines, stderrLines } = attempt;
  const outcome: OutcomeType = error
    ? call.how.all._ignoreErrors
      ? "ignored"
      : "failed"
    : executed > 0
      ? "changed"
      : "unchanged";
  call.handle.complete({ outcome, stdoutLines, stderrLines, retryAttempts });
  if (error) {
    error.operation ??= operation;
    error.at ??= call.at;
  }
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

/** The attempt that was sent ahead of its turn; `undefined` if it was not, or has not run. */
async function takeAhead(engine: Engine, call: OperationCall): Promise<Attempt | undefined> {
  const { host } = call;
  const { emit, signal } = engine.settings;
  const ahead = await host.ahead?.take(call);
  if (!ahead) return undefined;
  const attempt = newAttempt();
  const lines = lineEmitter(emit, host.name, "operation");
  const begin = (): void => {
    for (const { text } of ahead.steps) {
      attempt.commands.push(text);
      emit({ type: "command", host: host.name, command: text, for: "operation" });
    }
  };
  try {
    const results = await ahead.results(signal, begin, lines.push);
    lines.end();
    // Its shell has ended on the way: what is missing shows when it is evaluated again.
    if (!results || (results.length < ahead.steps.length && isSuccess(call, results.at(-1)))) {
      host.ahead = undefined;
      return undefined;
    }
    attempt.noop = ahead.noopReason;
    for (const [index, result] of results.map(toCommandResult).entries()) {
      const { command, upload } = ahead.steps[index]!;
      if (upload) host.session.uploaded(upload.dest, upload.size, results[index]!);
      else {
        attempt.stdoutLines.push(...result.stdoutLines);
        attempt.stderrLines.push(...result.stderrLines);
        if (!isSuccess(call, result)) throw commandError(host.name, command, result);
      }
      attempt.executed++;
    }
  } catch (error) {
    signal.throwIfAborted();
    attempt.error = asError(engine, call, error);
  }
  return attempt;
}

const isSuccess = (call: OperationCall, result: { readonly exitCode: number } | undefined): boolean =>
  result === undefined || (call.how.all._successExitCodes ?? SUCCESS).includes(result.exitCode);

async function tryOnce(engine: Engine, call: OperationCall): Promise<Attempt> {
  const attempt = newAttempt();
  const queue = new CommandQueue(engine, call, attempt);
  // A fact asked after a command was yielded is asked after it ran.
  const view = new OperationView(engine, call, queue);
  try {
    if (!allTrue(call.how.all._if)) {
      attempt.noop = "its condition is false";
      return attempt;
    }
    for await (const command of call.operation.steps(view, call.args)) await queue.add(command);
    await queue.flush(behind => {
      if (view.asked && !view.tempFiles && !call.how.all._continueOnError)
        call.host.ahead = new RunAhead(engine, call, view.asked, behind);
      else askAhead(engine, call);
    });
    attempt.noop = view.noopReason;
  } catch (error) {
    engine.settings.signal.throwIfAborted();
    // What was yielded before something else went wrong is due.
    await queue.flush().catch(() => undefined);
    attempt.error ??= asError(engine, call, error);
  } finally {
    await removeTempFiles(engine, call, view, attempt);
  }
  return attempt;
}

/** The commands of one attempt. Each waits until it is known what follows it: shell commands in a row travel together. */
class CommandQueue implements Yielded {
  readonly #engine: Engine;
  readonly #call: OperationCall;
  readonly #attempt: Attempt;
  #shells: Shell[] = [];
  #other: Exclude<Command, Shell> | undefined;

  constructor(engine: Engine, call: OperationCall, attempt: Attempt) {
    this.#engine = engine;
    this.#call = call;
    this.#attempt = attempt;
  }

  get isEmpty(): boolean {
    return this.#shells.length === 0 && this.#other === undefined;
  }

  /** Take a command. Throws when one before it failed that ends the operation. */
  async add(command: Command): Promise<void> {
    const { fast } = this.#engine.settings;
    if (command.kind === "shell") {
      if (this.#other || !fast || this.#call.how.all._continueOnError) await this.flush();
      this.#shells.push(command);
    } else {
      await this.flush();
      this.#other = command;
    }
    if (!fast) await this.flush();
  }

  /** Run what waits. `onSent` is called if what is sent from then on runs right behind it. */
  async flush(onSent?: (behind: Behind) => void): Promise<void> {
    const [shells, other] = [this.#shells, this.#other];
    this.#shells = [];
    this.#other = undefined;
    if (shells.length > 0)
      await this.#guard(runShells(this.#engine, this.#call, shells, this.#call.how, this.#attempt, onSent));
    if (other) await this.#guard(execute(this.#engine, this.#call, other, this.#attempt, onSent));
  }

  /** A failed command ends the operation, unless it is to go on. */
  async #guard(running: Promise<void>): Promise<void> {
    try {
      await running;
    } catch (thrown) {
      this.#engine.settings.signal.throwIfAborted();
      const error = asError(this.#engine, this.#call, thrown);
      this.#attempt.error ??= error;
      if (!this.#call.how.all._continueOnError || error instanceof ConnectionLostError) throw error;
    }
  }
}

/** Run shell commands in order, up to the first that fails; then throw. */
async function runShells(
  engine: Engine,
  call: OperationCall,
  commands: readonly Shell[],
  how: ResolvedArguments,
  attempt: Attempt,
  onSent?: (behind: Behind) => void,
): Promise<void> {
  const successExitCodes = how.all._successExitCodes ?? SUCCESS;
  attempt.commands.push(...commands.map(String));
  const results = await runCommands(engine, call.host, commands, how, "operation", successExitCodes, onSent).catch(
    (error: unknown) => {
      if (error instanceof ConnectionLostError && successExitCodes.includes(CONNECTION_LOST)) return undefined;
      throw error;
    },
  );
  if (!results) return void (attempt.executed += commands.length);
  for (const result of results) {
    attempt.stdoutLines.push(...result.stdoutLines);
    attempt.stderrLines.push(...result.stderrLines);
  }
  const last = results.at(-1)!;
  const failed = !successExitCodes.includes(last.exitCode);
  attempt.executed += results.length - (failed ? 1 : 0);
  if (failed) throw commandError(call.host.name, commands[results.length - 1]!, last);
}
const SUCCESS: readonly number[] = [0];

/** Run one command that is no plain shell command. Throws when it fails. */
async function execute(
  engine: Engine,
  call: OperationCall,
  command: Exclude<Command, Shell>,
  attempt: Attempt,
  onSent?: (behind: Behind) => void,
): Promise<void> {
  const configured = command.kind === "configured";
  const how = configured ? withArguments(call.how, command.arguments) : call.how;
  const bare = configured ? command.command : command;
  const { host } = call;
  const forgetting = forgetOnce(host);
  const options = {
    surroundings: how.surroundings,
    signal: engine.settings.signal,
    timeout: how.all._timeout,
    onSent: (behind: Behind) => {
      forgetting.onSent();
      onSent?.(behind);
    },
  };
  const announce = (text: string): void => {
    attempt.commands.push(text);
    engine.settings.emit({ type: "command", host: host.name, command: text, for: "operation" });
  };
  try {
    switch (bare.kind) {
      case "shell":
        return await runShells(engine, call, [bare], how, attempt, onSent);
      case "upload":
        announce(uploadText(bare));
        await host.session.upload(bare.source, bare.dest, bare, options);
        break;
      case "download":
        announce(`download ${bare.src} to ${bare.dest}`);
        await host.session.download(bare.src, bare.dest, options);
        break;
      case "rsync": {
        announce(`rsync ${bare.flags.join(" ")} ${bare.src} ${bare.dest}`);
        const result = toCommandResult(await host.session.rsync(bare.src, bare.dest, bare.flags, options));
        if (result.exitCode !== 0)
          throw commandError(host.name, sh`rsync ${[...bare.flags, bare.src, bare.dest]}`, result);
        break;
      }
      case "function":
        announce(`call ${bare.name}`);
        await runFunction(engine, call, bare.run.bind(bare));
    }
    attempt.executed++;
  } finally {
    forgetting.onEnd();
  }
}

/** Run a function between commands: in the scope of a deploy file, where operations run at once, one after the other. */
async function runFunction(engine: Engine, call: OperationCall, body: (host: HostControl) => unknown): Promise<void> {
  let queue: Promise<unknown> = Promise.resolve();
  const runs = new Map<OperationCall, Promise<unknown>>();
  const failures: TsinfraError[] = [];
  const scope = DeployScope.ofCallback(engine, call, {
    declare: nested => {
      const run = queue.then(async () => {
        const outcome = await perform(engine, nested, nested.declaration.id, call.name);
        if (outcome === "failed")
          failures.push(
            new DeployError(`The operation "${nested.name}" failed inside "${call.name}"`, { at: nested.at }),
          );
      });
      queue = run.catch(() => undefined);
      runs.set(nested, run);
    },
    settled: nested => runs.get(nested) ?? Promise.resolve(),
  });
  await inScope(scope, () => body(hostControl(engine, call, scope)));
  await queue;
  engine.settings.signal.throwIfAborted();
  if (failures[0]) throw failures[0];
}

function hostControl(engine: Engine, call: OperationCall, scope: DeployScope): HostControl {
  const { clock, emit, signal } = engine.settings;
  const { host } = call;
  return {
    name: host.name,
    groups: host.groups,
    data: call.data,
    getFact: scope.host.getFact,
    run: (command, args) =>
      runDirect(engine, host, command, args ?? {}, { context: call.how.all, config: call.config, data: [] }),
    disconnect: () => host.session.disconnect(),
    connect: async ({ timeout } = {}) => {
      host.facts.forget();
      await host.session.connect(timeout);
    },
    sleep: seconds => clock.sleep(seconds, signal),
    now: () => clock.now(),
    log: message => emit({ type: "log", level: "info", message, host: host.name }),
  };
}

const allTrue = (conditions: Condition | readonly Condition[] | undefined): boolean =>
  [conditions ?? []].flat().every(condition => condition());

/** A refused password is not offered again: it could lock the account. */
const isRetryable = (error: TsinfraError): boolean => error.code !== "E_ESCALATION";

function wantsRetry(engine: Engine, call: OperationCall, attempt: Attempt): boolean {
  const { _retryUntil } = call.how.all;
  if (!_retryUntil || attempt.executed === 0) return false;
  const { stdoutLines, stderrLines, commands, executed } = attempt;
  try {
    return _retryUntil({
      stdoutLines,
      stderrLines,
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

/** Errors of operations are ours; anything else a user's code threw is told as it is, where it was thrown. */
function asError(engine: Engine, call: OperationCall, thrown: unknown): TsinfraError {
  const place = thrownAt(engine.settings.callSites(thrown), call.at);
  if (thrown instanceof TsinfraError) {
    if (thrown.at === undefined) Object.assign(thrown, place);
    return thrown;
  }
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new DeployError(`${call.operation.name} threw ${message}`, {
    host: call.host.name,
    ...place,
    cause: thrown,
  });
}

/** Nothing stays behind, whatever happened; an operation that ran no command left nothing. */
async function removeTempFiles(
  engine: Engine,
  call: OperationCall,
  view: OperationView,
  attempt: Attempt,
): Promise<void> {
  if (!view.tempFiles || attempt.commands.length === 0 || !call.host.session.isConnected) return;
  const remove = sh`rm -rf -- ${[...view.tempFiles]}`;
  await call.host.session
    .run(remove, { surroundings: call.how.surroundings, signal: engine.settings.signal })
    .catch(() => undefined);
}
