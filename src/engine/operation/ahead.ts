/** Sending a host its next operations while the one before still runs: round trips saved where it need not wait for other hosts. @module */
import { joined, type Secret, sh, type Shell } from "../../core/command.ts";
import type { OutputStream } from "../../core/connector.ts";
import { CommandError, ConnectionLostError, type TsinfraError } from "../../core/errors.ts";
import type { Fact, FactCallArguments } from "../../core/fact.ts";
import type { LocalFiles } from "../../core/host.ts";
import { KEPT_OUTPUT } from "../../core/output.ts";
import type { Command } from "../../core/steps.ts";
import type { Engine } from "../engine.ts";
import type { Recalled } from "../host/answer.ts";
import { travelsAlone } from "../host/question.ts";
import { type Behind, type Ran, ranBefore, type SentBehind } from "../host/sending.ts";
import { canShareShell, shellKey } from "../host/shared-shells.ts";
import type { OperationCall, SentAhead, SentOperation, SentStep } from "../host-state.ts";
import type { Clock } from "../settings.ts";
import { decided } from "./conditions.ts";
import { HeldOutput } from "./held-output.ts";
import { OperationView } from "./operation-host.ts";
import { eachCommand } from "./steps.ts";

/**
 * Operations of one host that were sent behind the one that runs.
 *
 * Each was evaluated with the last answers to its questions, and runs only if everything before it succeeded and the host
 * finds those answers still true at its turn: then these are the commands that fresh facts would have led to. Otherwise
 * it has not run, and neither has anything behind it; they are evaluated again when their turn comes, as ever.
 */
export class RunAhead implements SentAhead {
  readonly #sent = new Map<OperationCall, OperationAhead>();
  readonly #built: Promise<void>;
  readonly #clock: Clock;

  /** What follows `call`, whose commands were just sent. */
  constructor(engine: Engine, call: OperationCall, first: FirstSent) {
    this.#clock = engine.settings.clock;
    this.#built = this.#build(engine, call, first).catch(() => undefined);
  }

  /** What was sent for an operation; `undefined`: it waits for its turn. */
  async take(call: OperationCall): Promise<OperationAhead | undefined> {
    await this.#built;
    return this.#sent.get(call);
  }

  get unanswered(): readonly OperationCall[] {
    return this.#left.map(([call]) => call);
  }

  get #left(): readonly (readonly [OperationCall, OperationAhead])[] {
    return [...this.#sent].filter(([call, { steps }]) => steps.length > 0 && call.completion === undefined);
  }

  async begun(): Promise<readonly OperationCall[]> {
    const left = this.#left;
    // The shell that was ended says what it has begun, if it says anything any more.
    const silent = this.#clock.sleep(LAST_SIGN).then(() => true);
    const begun = await Promise.all(left.map(([, { turn }]) => Promise.race([turn, silent])));
    return left.filter((_, index) => begun[index]).map(([call]) => call);
  }

  async #build(engine: Engine, call: OperationCall, { asked, commands, behind }: FirstSent): Promise<void> {
    const { host } = call;
    const changed = {
      questions: new Set(asked),
      isContained: call.operation.changes === "what it names",
      commands: commands.join("\n"),
    };
    let last = call;
    while (this.#sent.size < MOST_OPERATIONS && changed.commands.length < MOST_BYTES) {
      const next = host.calls[last.index + 1];
      if (!next || !mayFollow(engine, last, next) || !next.asked.isDisjointFrom(changed.questions)) break;
      const view = new LookAhead(engine, next);
      const steps = await evaluate(view, next).catch(() => undefined);
      if (
        !steps ||
        !canShareShell(
          steps.map(({ command }) => command),
          next.how,
        )
      )
        break;
      const mayHaveChanged = (path: string): boolean => !changed.isContained || names(changed.commands, path);
      if ([...view.localPaths].some(mayHaveChanged)) break;
      const operation = OperationAhead.send(next, view, steps, behind);
      if (!operation) return;
      this.#sent.set(next, operation);
      last = next;
      if (steps.length === 0) continue;
      for (const { key } of view.questions) changed.questions.add(key);
      changed.isContained &&= next.operation.changes === "what it names";
      for (const { command } of steps) changed.commands += command.wire();
    }
    // What may have changed, and is asked further on, is asked now; so is all that the first which could not be sent asks.
    const later = host.calls.slice(last.index + 1, last.index + 1 + MOST_OPERATIONS);
    host.facts.renew([...changed.questions].filter(key => later.some(({ asked: keys }) => keys.has(key))));
    askAhead(engine, last);
  }
}

/** The operation that others are sent behind. */
export interface FirstSent {
  /** Its questions. */
  readonly asked: ReadonlySet<string>;
  /** Its commands, as they are told. */
  readonly commands: readonly string[];
  /** Sends what follows them. */
  readonly behind: Behind;
}

/** Whether commands name a file of this machine (which the host may be), by its full path or by its last part, or a directory that it is in. */
function names(commands: string, path: string): boolean {
  const text = commands.replace(QUOTES, "");
  const parts = path.replace(QUOTES, "").split("/");
  const directories = parts.slice(1, -1).map((_, index) => parts.slice(0, index + 2).join("/"));
  return text.includes(parts.at(-1)!) || directories.some(directory => isNamed(text, directory));
}
/** However deep a path is quoted, nothing else is added to it. */
const QUOTES = /['"\\]/g;

/** The path itself, not one that begins with it. */
function isNamed(text: string, path: string): boolean {
  for (let at = text.indexOf(path); at !== -1; at = text.indexOf(path, at + 1))
    if (!/^\/*[\w.+@%~-]/.test(text.slice(at + path.length, at + path.length + 9))) return true;
  return false;
}

/** A shell that is ended says within so many seconds how far it came. */
const LAST_SIGN = 0.5;

/**
 * What was sent behind an operation may have run where its connection was lost, or its shell given up: nobody hears of it.
 * Behind a command that failed by its exit code nothing has run.
 */
export async function loseAhead(call: OperationCall, error: TsinfraError): Promise<void> {
  if (error instanceof CommandError) return;
  const { host } = call;
  const begun = (await host.ahead?.begun()) ?? [];
  host.ahead = undefined;
  for (const other of begun)
    if (other !== call)
      host.lost.set(
        other,
        new ConnectionLostError(`${error.message}; this was sent ahead of its turn, and may have run`, {
          host: host.name,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        }),
      );
}

/** So many commands of an operation are drawn before those are sent: its steps may yield without end. */
export const MOST_TOGETHER = 500;
/** So far ahead, and no further. */
const MOST_OPERATIONS = 30;
const MOST_BYTES = 256 * 1024;

/** Send the facts that the host's next operation will ask right behind what this one sent. */
export function askAhead(engine: Engine, call: OperationCall): void {
  const next = call.host.calls[call.index + 1];
  if (!next || next.how.surroundingsKey !== call.how.surroundingsKey) return;
  const look = async (): Promise<unknown> =>
    eachCommand(next, new OperationView(engine, next, undefined, true), decided(next, true), () => true);
  // Whatever is wrong shows again, and is told, when its turn comes.
  look().catch(() => undefined);
}

/** Nothing but facts decides what the next one does, and it runs in the same shell. */
function mayFollow(engine: Engine, last: OperationCall, next: OperationCall): boolean {
  const { _continueOnError, _getPty, _retryUntil, _runOnce, _stdin, _timeout } = next.how.all;
  if (next.operation.changes === undefined || last.operation.freshLogin) return false;
  if (next.how.surroundingsKey !== last.how.surroundingsKey || goesOn(last) || mayLoseConnection(next)) return false;
  if (_runOnce && (engine.hosts.length > 1 || engine.isShared)) return false;
  return (
    !_continueOnError &&
    !_getPty &&
    !next.isConditional &&
    !next.hasConditions &&
    (_retryUntil ?? _stdin ?? _timeout) === undefined
  );
}

/** The host's next operations are to run though its connection was lost: what was sent ahead may have run by then, and cannot be sent again. */
const goesOn = (call: OperationCall): boolean =>
  Boolean(call.how.all._retries || call.how.all._retryUntil || call.how.all._ignoreErrors) || mayLoseConnection(call);

/** The connection may go down with a command and that is no failure, as when a host restarts. */
export const mayLoseConnection = ({ how }: OperationCall): boolean =>
  how.all._successExitCodes?.includes(CONNECTION_LOST) === true;

/** Among `_successExitCodes`. */
export const CONNECTION_LOST = -1;

async function evaluate(view: LookAhead, call: OperationCall): Promise<readonly SentStep[]> {
  const steps: SentStep[] = [];
  await eachCommand(call, view, call.args, async command => {
    view.hasYielded = true;
    if (steps.length >= MOST_TOGETHER) throw new NotAhead();
    if (command.kind === "upload" && "path" in command.source) view.localPaths.add(command.source.path);
    steps.push(await step(call, command));
  });
  return steps;
}

async function step(call: OperationCall, command: Command): Promise<SentStep> {
  if (command.kind === "shell") return { command, text: command.toString() };
  const inline =
    command.kind === "upload"
      ? await call.host.session.transfers.inlineUpload(command.source, command.dest, command)
      : undefined;
  if (command.kind !== "upload" || !inline) throw new NotAhead();
  return { command: inline.command, text: uploadText(command), upload: { dest: command.dest, size: inline.size } };
}

/** How an upload is told. */
export const uploadText = ({ source, dest }: Extract<Command, { kind: "upload" }>): string =>
  `upload ${"path" in source ? source.path : "content"} to ${dest}`;

/** An operation that must wait for its turn. */
class NotAhead extends Error {}

/** One operation that was sent. */
export class OperationAhead implements SentOperation {
  readonly steps: readonly SentStep[];
  readonly #view: LookAhead;
  readonly #sent: SentBehind;
  readonly #output: HeldOutput;
  /** Its commands may change the host: called with how they ended. */
  readonly #ended: ((ran?: readonly Ran[]) => void) | undefined;
  /** Only what was found to be true before it can keep it from running. */
  readonly #isGuarded: boolean;
  readonly #commands: readonly Shell[];

  private constructor(
    view: LookAhead,
    steps: readonly SentStep[],
    commands: readonly Shell[],
    sent: SentBehind,
    output: HeldOutput,
    ended: ((ran?: readonly Ran[]) => void) | undefined,
  ) {
    this.steps = steps;
    this.#commands = commands;
    this.#ended = ended;
    this.#view = view;
    this.#sent = sent;
    this.#output = output;
    this.#isGuarded = view.questions.length > 0;
  }

  static send(
    call: OperationCall,
    view: LookAhead,
    steps: readonly SentStep[],
    behind: Behind,
  ): OperationAhead | undefined {
    const output = new HeldOutput();
    const ended = steps.length > 0 ? call.host.facts.beginChange() : undefined;
    const commands = steps.length === 0 ? [NOTHING] : steps.map(({ command }) => command);
    const sent = behind.send(commands, {
      surroundings: call.how.surroundings,
      successExitCodes: call.how.all._successExitCodes ?? [0],
      only:
        view.questions.length === 0
          ? undefined
          : joined(
              " && ",
              view.questions.map(question => question.still()),
            ),
      onOutput: output.push,
    });
    return sent && new OperationAhead(view, steps, commands, sent, output, ended);
  }

  get noopReason(): string | undefined {
    return this.#view.noopReason;
  }

  /** True if its commands have begun, false if they do not run. */
  get turn(): Promise<boolean> {
    return this.#sent.turn;
  }

  /** Of its commands, those that had ended when its results were rejected. */
  get hadEnded(): readonly Ran[] {
    return ranBefore(this.#commands).slice(0, this.steps.length);
  }

  async results(
    signal: AbortSignal,
    onBegin: () => void,
    onOutput: (stream: OutputStream, chunk: Uint8Array) => Promise<void> | void,
  ): Promise<readonly Ran[] | undefined> {
    const results = this.#sent.results(signal);
    results.then(this.#ended, () => this.#ended?.());
    if (this.#isGuarded && !(await Promise.race([this.#sent.turn, results.then(() => this.#sent.turn)])))
      return undefined;
    if (this.#output.isCut) this.#view.warn(CUT);
    this.#view.tell();
    onBegin();
    this.#output.open(onOutput);
    const ran = await results;
    return this.steps.length === 0 ? [] : ran;
  }
}

const NOTHING = sh`true`;
const CUT = `More than ${KEPT_OUTPUT / 1024 / 1024} MiB were printed while the operation before was told of: the beginning is not shown`;

/** An evaluation before the turn, with the last answers: what it tells is told later. */
class LookAhead extends OperationView {
  readonly questions: Recalled[] = [];
  readonly localPaths = new Set<string>();
  hasYielded = false;
  readonly #told: (() => void)[] = [];
  readonly #shell: string;

  constructor(engine: Engine, call: OperationCall) {
    super(engine, call);
    this.#shell = shellKey(call.how.surroundings);
  }

  /** Say what it has kept to itself. */
  tell(): void {
    for (const tell of this.#told) tell();
  }

  protected override async answer<A extends object, T>(
    asked: Fact<A, T>,
    ...[given]: FactCallArguments<A>
  ): Promise<T> {
    // It is to be asked after the commands have run.
    if (this.hasYielded) throw new NotAhead();
    const answer = await this.recall(asked, given ?? ({} as A), question => {
      // The shell of the commands tests it: as somebody else, or with an input of its own, it may have another answer.
      if (travelsAlone(question.how) || shellKey(question.how.surroundings) !== this.#shell) throw new NotAhead();
      if (!this.questions.some(({ key }) => key === question.key)) this.questions.push(question);
    });
    if (!answer) throw new NotAhead();
    return answer.value;
  }

  override anticipate(): void {}

  override get local(): LocalFiles {
    return noting(super.local, path => this.localPaths.add(path));
  }

  override async tempFile(): Promise<string> {
    throw new NotAhead();
  }

  override noop(reason: string): void {
    this.#told.push(() => super.noop(reason));
  }

  override warn(message: string): void {
    this.#told.push(() => super.warn(message));
  }

  override showDiff(path: string, before: string | undefined, after: string | Secret | undefined): void {
    this.#told.push(() => super.showDiff(path, before, after));
  }
}

/** The same files; `note` is called with the path of each that is looked at. */
function noting(local: LocalFiles, note: (path: string) => unknown): LocalFiles {
  return {
    resolve: (path, options) => local.resolve(path, options),
    stat: path => (note(path), local.stat(path)),
    read: path => (note(path), local.read(path)),
    readText: path => (note(path), local.readText(path)),
    checksum: (path, algorithm) => (note(path), local.checksum(path, algorithm)),
    list: path => (note(path), local.list(path)),
    render: (path, data, options) => (note(path), local.render(path, data, options)),
  };
}
