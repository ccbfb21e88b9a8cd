/** The commands of one try of an operation. @module */
import { sh, type Shell } from "../../core/command.ts";
import {
  CommandError,
  CommandTimeoutError,
  ConnectError,
  ConnectionLostError,
  type TsinfraError,
} from "../../core/errors.ts";
import { linesOf } from "../../core/lines.ts";
import type { Command } from "../../core/steps.ts";
import type { Engine } from "../engine.ts";
import { type ResolvedArguments, overrideArguments } from "../host/arguments.ts";
import { type Behind, ranBefore } from "../host/sending.ts";
import { lastReason } from "../host/streams.ts";
import type { OperationCall } from "../host-state.ts";
import { CONNECTION_LOST, mayLoseConnection, MOST_TOGETHER, uploadText } from "./ahead.ts";
import type { Attempt } from "./attempt.ts";
import { type Performs, runFunction } from "./callback.ts";
import { brief, commandError, commandResult, SUCCESS, sendChange, sendCommands, toCommandResult } from "./commands.ts";
import { asOperationError } from "./operation-error.ts";
import type { Yielded } from "./operation-host.ts";

/** Commands on their way. */
export interface SentWork {
  /** Rejects when one fails that ends the operation. */
  readonly done: Promise<void>;
  /** Sends what runs right behind them; absent where nothing can. */
  readonly behind?: Behind | undefined;
}

/** Each command waits until it is known what follows it: shell commands in a row travel together. */
export class CommandQueue implements Yielded {
  readonly #engine: Engine;
  readonly #call: OperationCall;
  readonly #attempt: Attempt;
  readonly #performs: Performs;
  #shells: Shell[] = [];
  #other: Exclude<Command, Shell> | undefined;

  constructor(engine: Engine, call: OperationCall, attempt: Attempt, performs: Performs) {
    this.#engine = engine;
    this.#call = call;
    this.#attempt = attempt;
    this.#performs = performs;
  }

  get isEmpty(): boolean {
    return this.#shells.length === 0 && this.#other === undefined;
  }

  /** Take a command. Throws when one before it failed that ends the operation. */
  async add(command: Command): Promise<void> {
    const { fast } = this.#engine.settings;
    if (command.kind === "shell") {
      if (this.#other || !fast || this.#goesOn || this.#shells.length >= MOST_TOGETHER) await this.flush();
      this.#shells.push(command);
    } else {
      await this.flush();
      this.#other = command;
    }
    if (!fast) await this.flush();
  }

  /** What follows a command runs also where that failed, or took the connection with it: each is sent for itself. */
  get #goesOn(): boolean {
    return this.#call.how.all._continueOnError === true || mayLoseConnection(this.#call);
  }

  /** Run what waits. */
  async flush(): Promise<void> {
    const { done } = await this.send();
    await done;
  }

  /** Send what waits. Throws when one before it failed that ends the operation. */
  async send(): Promise<SentWork> {
    const [shells, other] = [this.#shells, this.#other];
    this.#shells = [];
    this.#other = undefined;
    const { how } = this.#call;
    const last = shells.length > 0 ? this.#send(() => this.#sendShells(shells, how)) : undefined;
    if (!other) return (await last) ?? NOTHING;
    await (
      await last
    )?.done;
    return this.#send(() => this.#sendOther(other));
  }

  /** A failed command ends the operation, unless it is to go on. */
  async #send(send: () => Promise<SentWork>): Promise<SentWork> {
    try {
      const { behind, done } = await send();
      const guarded = done.catch((error: unknown) => this.#failed(error));
      guarded.catch(() => undefined);
      return { behind, done: guarded };
    } catch (error) {
      this.#failed(error);
      return NOTHING;
    }
  }

  #failed(thrown: unknown): void {
    this.#engine.settings.signal.throwIfAborted();
    const error = asOperationError(this.#engine, this.#call, thrown);
    this.#attempt.error = this.#withOthers(error);
    if (!this.#call.how.all._continueOnError || error instanceof ConnectionLostError) throw this.#attempt.error;
  }

  /** The failure that the operation is told to have: the first, with what failed after it; a lost connection, with what failed before it. */
  #withOthers(error: TsinfraError): TsinfraError {
    const before = this.#failures;
    this.#failures = [...before, withReason(error)];
    const [first] = before;
    const { error: told, others } = this.#attempt;
    if (!told || first === undefined) return error;
    others.push(error);
    if (error instanceof ConnectionLostError) {
      // Others may have been told the same error.
      const { at, callers, hint, host, message, operation } = error;
      const text = `${message}. Before that ${counted(before)}: ${listed(before)}`;
      others.push(told);
      return new ConnectionLostError(text, { at, callers, hint, host, operation, cause: error });
    }
    const more = this.#failures.slice(1);
    told.message = `${(this.#first ??= told.message)}. After that ${counted(more)}: ${listed(more)}`;
    return told;
  }
  /** In words, in order. */
  #failures: readonly string[] = [];
  /** What the first one says; what it printed is shown with it. */
  #first: string | undefined;

  /** They run in order, up to the first that fails. */
  async #sendShells(commands: readonly Shell[], how: ResolvedArguments): Promise<SentWork> {
    const successExitCodes = how.all._successExitCodes ?? SUCCESS;
    const { host } = this.#call;
    const attempt = this.#attempt;
    for (const command of commands) attempt.commands.push(command.toString());
    const hadBegun = attempt.hasBegun;
    attempt.hasBegun = true;
    const finish = async (running: SentWorkResults): Promise<void> => {
      const results = await running.catch((error: unknown) => {
        const ended = ranBefore(commands);
        for (const ran of ended) attempt.results.push(toCommandResult(ran));
        if (error instanceof ConnectionLostError && successExitCodes.includes(CONNECTION_LOST)) {
          this.#tellLoss(commands[ended.length]);
          return undefined;
        }
        attempt.executed += ended.length;
        // Nothing was sent.
        if (error instanceof ConnectError && ended.length === 0) attempt.hasBegun = hadBegun;
        if (error instanceof CommandTimeoutError)
          attempt.results.push(
            commandResult({ exitCode: NO_EXIT_CODE, stdout: error.stdout, stderr: error.stderr, isCut: error.isCut }),
          );
        throw error;
      });
      if (!results) return void (attempt.executed += commands.length);
      for (const result of results) attempt.results.push(result);
      const last = results.at(-1)!;
      const failed = !successExitCodes.includes(last.exitCode);
      attempt.executed += results.length - (failed ? 1 : 0);
      if (results.length === 1 && !last.started) attempt.hasBegun = hadBegun;
      if (failed) throw commandError(host.name, commands[results.length - 1]!, last);
    };
    const sending = sendCommands(this.#engine, host, commands, how, "operation", successExitCodes);
    const sent = await sending.catch((error: unknown) => ({ behind: undefined, results: Promise.reject(error) }));
    return { behind: sent.behind, done: finish(sent.results) };
  }

  /** A loss is allowed; what came of the command is not known all the same. */
  #tellLoss(command: Shell | undefined): void {
    const message = `The connection was lost with a command, as -1 in _successExitCodes allows; whether that ran to its end, or still runs, is not known: ${brief(String(command))}`;
    this.#engine.settings.emit({ type: "log", level: "info", host: this.#call.host.name, message });
  }

  /** One command that is no plain shell command. */
  async #sendOther(command: Exclude<Command, Shell>): Promise<SentWork> {
    const configured = command.kind === "configured";
    const how = configured ? overrideArguments(this.#call.how, command.arguments) : this.#call.how;
    const bare = configured ? command.command : command;
    if (bare.kind === "shell") return this.#sendShells([bare], how);
    const { host } = this.#call;
    const { transfers } = host.session;
    const options = {
      surroundings: how.surroundings,
      signal: this.#engine.settings.signal,
      ...(how.all._timeout === undefined ? {} : { timeout: how.all._timeout }),
    };
    switch (bare.kind) {
      case "upload": {
        this.#announce(uploadText(bare));
        const sent = await sendChange(host, () => transfers.upload(bare.source, bare.dest, bare, options));
        const uploaded = sent.results.then(([result]) => transfers.uploaded(bare.dest, undefined, result!));
        return { behind: sent.behind, done: this.#counted(uploaded) };
      }
      case "download":
        this.#announce(`download ${bare.src} to ${bare.dest}`);
        // What it changes is the control machine, which may be one of the hosts.
        return {
          done: this.#counted(host.facts.changedBy(() => transfers.download(bare.src, bare.dest, options), true)),
        };
      case "rsync": {
        this.#announce(`rsync ${bare.flags.join(" ")} ${bare.src} ${bare.dest}`);
        const copying = this.#changing(() => transfers.rsync(bare.src, bare.dest, bare.flags, options));
        const copied = copying.then(ran => {
          const result = toCommandResult(ran);
          if (result.exitCode !== 0)
            throw commandError(host.name, sh`rsync ${[...bare.flags, bare.src, bare.dest]}`, result);
        });
        return { done: this.#counted(copied) };
      }
      case "function": {
        this.#announce(`call ${bare.name}`);
        const body = bare.run.bind(bare);
        const running = this.#changing(() => runFunction(this.#engine, this.#call, body, this.#performs));
        return { done: this.#counted(running) };
      }
    }
  }

  #announce(text: string): void {
    this.#attempt.commands.push(text);
    this.#attempt.hasBegun = true;
    this.#engine.settings.emit({ type: "command", host: this.#call.host.name, command: text, for: "operation" });
  }

  async #counted(running: Promise<unknown>): Promise<void> {
    await running;
    this.#attempt.executed++;
  }

  /** What is known of the host is forgotten when it begins, and when it has ended. */
  async #changing<T>(run: () => Promise<T>): Promise<T> {
    const ended = this.#call.host.facts.beginChange();
    try {
      return await run();
    } finally {
      ended();
    }
  }
}

const counted = ({ length }: readonly string[]): string =>
  length === 1 ? "another command failed" : `${length} more commands failed`;
/** A failure as it is told behind another one of the same host: with the end of what it printed. */
function withReason(error: TsinfraError): string {
  const reason = error instanceof CommandError ? lastReason(linesOf(error.stderr || error.stdout)) : undefined;
  const message = error.message.replace(` on ${error.host}:`, ":");
  return reason === undefined ? message : `${message} (${reason})`;
}
/** The last are told. */
const listed = (failures: readonly string[]): string => failures.slice(-MOST_LISTED).join("; ");
const MOST_LISTED = 3;

/** Of a command that was ended. */
const NO_EXIT_CODE = -1;

type SentWorkResults = Awaited<ReturnType<typeof sendCommands>>["results"];
const NOTHING: SentWork = { done: Promise.resolve() };

/** Whether an exit code is no failure for an operation. */
export const isSuccess = (call: OperationCall, { exitCode }: { readonly exitCode: number }): boolean =>
  (call.how.all._successExitCodes ?? SUCCESS).includes(exitCode);
