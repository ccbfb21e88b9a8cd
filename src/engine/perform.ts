/** Running one operation on one host. @module */
import { joined, sh, type Shell } from "../core/command.ts";
import type { Condition } from "../core/arguments.ts";
import type { HostControl } from "../core/host.ts";
import { ConnectionLostError, DeployError, TsinfraError } from "../core/errors.ts";
import { inScope } from "../core/scope.ts";
import type { Command } from "../core/steps.ts";
import { commandError, runCommand, runDirect, toCommandResult } from "./direct.ts";
import { DeployScope } from "./deploy-scope.ts";
import type { Engine } from "./engine.ts";
import type { OutcomeType } from "./events.ts";
import type { OperationCall } from "./host-state.ts";
import { OperationView } from "./operation-host.ts";
import { reportError } from "./report.ts";
import { withArguments } from "./resolve.ts";

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

/** Run an operation: its condition, its attempts, its outcome. Never rejects, except when the run is cancelled. */
export async function perform(engine: Engine, call: OperationCall, id: string, nestedIn?: string): Promise<OutcomeType> {
  const { clock, emit, signal } = engine.settings;
  const started = clock.now();
  const operation = call.name;
  const host = call.host.name;
  emit({ type: "operation:host:start", id, operation, host });

  const retries = call.how.all._retries ?? 0;
  let retryAttempts = 0;
  let attempt = await tryOnce(engine, call);
  while (retryAttempts < retries && (attempt.error ? isRetryable(attempt.error) : wantsRetry(engine, call, attempt))) {
    const delay = call.how.all._retryDelay ?? 5;
    retryAttempts++;
    emit({ type: "operation:retry", id, operation, host, attempt: retryAttempts, retries, delay, ...(attempt.error ? { error: reportError(attempt.error) } : {}) });
    await clock.sleep(delay, signal);
    attempt = await tryOnce(engine, call);
  }
  signal.throwIfAborted();

  const { error, executed, noop, stdoutLines, stderrLines } = attempt;
  const outcome: OutcomeType = error ? (call.how.all._ignoreErrors ? "ignored" : "failed") : executed > 0 ? "changed" : "unchanged";
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
  if (outcome === "failed" && nestedIn === undefined) call.host.error ??= error;
  return outcome;
}

/** Evaluate an operation up to its first command: that one proves a change. */
export async function forecast(engine: Engine, call: OperationCall): Promise<boolean> {
  const view = new OperationView(engine, call);
  for await (const _ of call.operation.steps(view, call.args)) return true;
  return false;
}

async function tryOnce(engine: Engine, call: OperationCall): Promise<Attempt> {
  const attempt: Attempt = { error: undefined, commands: [], executed: 0, stdoutLines: [], stderrLines: [], noop: undefined };
  const view = new OperationView(engine, call);
  try {
    if (!allTrue(call.how.all._if)) {
      attempt.noop = "its condition is false";
      return attempt;
    }
    for await (const command of call.operation.steps(view, call.args)) {
      const error = await execute(engine, call, view, command, attempt).then(
        () => undefined,
        (thrown: unknown) => asError(call, thrown),
      );
      if (!error) {
        attempt.executed++;
        continue;
      }
      attempt.error ??= error;
      engine.settings.signal.throwIfAborted();
      if (!call.how.all._continueOnError || error instanceof ConnectionLostError) break;
    }
    attempt.noop = view.noopReason;
  } catch (error) {
    engine.settings.signal.throwIfAborted();
    attempt.error ??= asError(call, error);
  } finally {
    await removeTempFiles(engine, call, view, attempt);
  }
  return attempt;
}

/** Run one command. Throws when it fails. */
async function execute(engine: Engine, call: OperationCall, view: OperationView, command: Command, attempt: Attempt): Promise<void> {
  const configured = command.kind === "configured";
  const how = configured ? withArguments(call.how, command.arguments) : call.how;
  const bare = configured ? command.command : command;
  const { host } = call;
  const options = { surroundings: how.surroundings, signal: engine.settings.signal, timeout: how.all._timeout };
  const announce = (text: string): void => {
    attempt.commands.push(text);
    engine.settings.emit({ type: "command", host: host.name, command: text, for: "operation" });
  };
  switch (bare.kind) {
    case "shell": {
      attempt.commands.push(bare.toString());
      const accepted = how.all._successExitCodes ?? [0];
      const result = await runCommand(engine, host, bare, how, "operation").catch((error: unknown) => {
        if (error instanceof ConnectionLostError && accepted.includes(CONNECTION_LOST)) return undefined;
        throw error;
      });
      if (!result) return;
      attempt.stdoutLines.push(...result.stdoutLines);
      attempt.stderrLines.push(...result.stderrLines);
      if (!accepted.includes(result.exitCode)) throw commandError(host.name, bare, result);
      return;
    }
    case "upload": {
      const from = "path" in bare.source ? bare.source.path : "content";
      announce(`upload ${from} to ${bare.dest}`);
      try {
        await host.session.upload(bare.source, bare.dest, bare, options);
      } finally {
        host.facts.forget();
      }
      return;
    }
    case "download":
      announce(`download ${bare.src} to ${bare.dest}`);
      return host.session.download(bare.src, bare.dest, options);
    case "rsync": {
      announce(`rsync ${bare.flags.join(" ")} ${bare.src} ${bare.dest}`);
      const result = toCommandResult(await host.session.rsync(bare.src, bare.dest, bare.flags, options));
      host.facts.forget();
      if (result.exitCode !== 0) throw commandError(host.name, sh`rsync ${[...bare.flags, bare.src, bare.dest]}`, result);
      return;
    }
    case "function":
      announce(`call ${bare.name}`);
      try {
        await runFunction(engine, call, bare.run.bind(bare));
      } finally {
        host.facts.forget();
      }
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
        if (outcome === "failed") failures.push(new DeployError(`The operation "${nested.name}" failed inside "${call.name}"`, { at: nested.at }));
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
    run: (command, args) => runDirect(engine, host, command, args ?? {}, { context: call.how.all, config: call.config, data: [] }),
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

/** Among `_successExitCodes`: the connection may go down with the command, as it does when a host restarts. */
const CONNECTION_LOST = -1;

const allTrue = (conditions: Condition | readonly Condition[] | undefined): boolean => [conditions ?? []].flat().every(condition => condition());

/** A refused password is not offered again: it could lock the account. */
const isRetryable = (error: TsinfraError): boolean => error.code !== "E_ESCALATION";

function wantsRetry(engine: Engine, call: OperationCall, attempt: Attempt): boolean {
  const { _retryUntil } = call.how.all;
  if (!_retryUntil || attempt.executed === 0) return false;
  const { stdoutLines, stderrLines, commands, executed } = attempt;
  try {
    return _retryUntil({ stdoutLines, stderrLines, commands, executedCommands: executed, host: call.host.name, operation: call.name });
  } catch (error) {
    engine.settings.emit({ type: "log", level: "warn", host: call.host.name, message: `_retryUntil of ${call.name} threw: ${error instanceof Error ? error.message : error}` });
    return false;
  }
}

/** Errors of operations are ours; anything else a user's code threw is told as it is, with the place of the operation. */
function asError(call: OperationCall, thrown: unknown): TsinfraError {
  if (thrown instanceof TsinfraError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new DeployError(`${call.operation.name} threw ${message}`, { host: call.host.name, at: call.at, cause: thrown });
}

/** Nothing stays behind, whatever happened; an operation that ran no command left nothing. */
async function removeTempFiles(engine: Engine, call: OperationCall, view: OperationView, attempt: Attempt): Promise<void> {
  if (view.tempFiles.size === 0 || attempt.commands.length === 0 || !call.host.session.isConnected) return;
  const remove: Shell = joined(" ", [sh`rm -rf --`, sh`${[...view.tempFiles]}`]);
  await call.host.session
    .run(remove, { surroundings: call.how.surroundings, signal: engine.settings.signal })
    .catch(() => undefined);
}
