/** The host that an operation is given. @module */
import { Secret } from "../../core/command.ts";
import { declaredAt } from "../../core/declared.ts";
import type { CallSite } from "../../core/errors.ts";
import { checkQuestion, fact, type Fact, type FactCallArguments, type NoArguments } from "../../core/fact.ts";
import type { Config } from "../../core/config.ts";
import type { LocalFiles, OperationHost } from "../../core/host.ts";
import type { HostData } from "../../core/host-data.ts";
import { sh } from "../../core/command.ts";
import type { Engine } from "../engine.ts";
import { Asked } from "./asked.ts";
import { neverAwaited } from "./lifetime.ts";
import type { Recalled } from "../host/answer.ts";
import type { HostState, OperationCall } from "../host-state.ts";
import { type ResolvedArguments, splitArguments, overrideArguments } from "../host/arguments.ts";

/** Commands on their way. */
export interface Yielded {
  readonly isEmpty: boolean;
  /** Rejects when one fails that ends the operation. */
  flush(): Promise<void>;
}

/** One evaluation of an operation on a host: a forecast, or one attempt. */
export class OperationView implements OperationHost {
  readonly #engine: Engine;
  readonly #call: OperationCall;
  readonly #host: HostState;
  /** How the operation's commands run, less what is meant for the commands alone. */
  readonly #factArguments: ResolvedArguments;
  /** The last reason given for doing nothing. */
  noopReason: string | undefined;
  /** Temporary files it was given names of. */
  tempFiles: Set<string> | undefined;
  /** Its questions, where hosts go alone. */
  readonly asked: Set<string> | undefined;

  /** Commands that were yielded and have not run: they run before a fact is asked. */
  readonly #yielded: Yielded | undefined;
  /** Only looking ahead: nothing is told. */
  readonly #silent: boolean;
  /** What an operation of the user's has asked. */
  #questions:
    { readonly what: string; readonly at: CallSite | undefined; readonly asked: Asked<unknown> }[] | undefined;

  constructor(engine: Engine, call: OperationCall, yielded?: Yielded, silent = false) {
    this.#yielded = yielded;
    this.#silent = silent;
    this.#engine = engine;
    this.#call = call;
    this.#host = call.host;
    this.#factArguments = forFacts(call.how);
    this.asked = engine.goesAlone ? new Set() : undefined;
  }

  get name(): string {
    return this.#host.name;
  }
  get groups(): readonly string[] {
    return this.#host.groups;
  }
  get data(): HostData {
    return this.#call.data;
  }
  get config(): Readonly<Config> {
    return this.#call.config;
  }
  get local(): LocalFiles {
    return this.#engine.settings.local;
  }
  get wantsDiff(): boolean {
    return this.#call.config.diff;
  }

  getFact<A extends object, T>(asked: Fact<A, T>, ...args: FactCallArguments<A>): Promise<T> {
    const answer = this.answer(asked, ...args);
    // Where nobody awaits it the operation is wrong, and told; what becomes of the question is nobody's then.
    answer.catch(() => undefined);
    // Ours are known to wait.
    if (declaredAt(this.#call.operation) === undefined) return answer;
    const question = { what: asked.name, at: this.#engine.settings.callSites()[0], asked: Asked.of(answer) };
    (this.#questions ??= []).push(question);
    return question.asked;
  }

  /** The operation goes on to a command (which is early), or has ended. Throws `DeployError` if it asked something and did not wait for the answer. */
  expectAwaited(isEarly: boolean): void {
    for (const { what, at, asked } of this.#questions ?? [])
      if (!asked.isTaken) throw neverAwaited(what, at, { caller: this.#call.at, isEarly });
  }

  /** What `getFact` gives. */
  protected async answer<A extends object, T>(asked: Fact<A, T>, ...args: FactCallArguments<A>): Promise<T> {
    checkQuestion(asked, args);
    const [given] = args;
    if (this.#yielded && !this.#yielded.isEmpty) await this.#yielded.flush();
    const { own, globals } = splitArguments(`The fact ${asked.name}`, given ?? ({} as A), true);
    return this.#host.facts.ask(asked, own, overrideArguments(this.#factArguments, globals), this.config, this.asked);
  }

  /** The last answer, though something may have run since. */
  protected async recall<A extends object, T>(
    asked: Fact<A, T>,
    given: A,
    onQuestion: (question: Recalled) => void,
  ): Promise<{ readonly value: T } | undefined> {
    const { own, globals } = splitArguments(`The fact ${asked.name}`, given, true);
    return this.#host.facts.recall(asked, own, overrideArguments(this.#factArguments, globals), onQuestion);
  }

  anticipate<A extends object, T>(expected: Fact<A, T>, ...args: FactCallArguments<A>): void {
    // Without a shared shell, every question costs a process of its own: none is asked for nothing.
    if (!this.#engine.settings.fast || this.#yielded?.isEmpty === false) return;
    this.answer(expected, ...args).catch(() => undefined);
  }

  noop(reason: string): void {
    this.noopReason = reason;
    if (!this.#silent)
      this.#engine.settings.emit({ type: "noop", host: this.name, operation: this.#call.name, reason });
  }

  warn(message: string): void {
    if (!this.#silent) this.#engine.settings.emit({ type: "log", level: "warn", message, host: this.name });
  }

  showDiff(path: string, before: string | undefined, after: string | Secret | undefined): void {
    if (this.#silent || !this.wantsDiff || after instanceof Secret || before === after) return;
    const { stage } = this.#engine;
    if (stage === "setup") return;
    this.#engine.settings.emit({
      type: "diff",
      host: this.name,
      path,
      diff: this.#engine.settings.unifiedDiff(path, before, after),
      stage,
    });
  }

  async tempDir(): Promise<string> {
    return this.#call.how.all._tempDir ?? (await this.getFact(TempDir));
  }

  async tempFile(key?: string, directory?: string): Promise<string> {
    // Two hosts may be one machine.
    const own = key === undefined ? undefined : `${this.#host.name} ${key}`;
    const path = `${directory ?? (await this.tempDir())}/tsinfra-${this.#engine.tempName(own)}`;
    (this.tempFiles ??= new Set()).add(path);
    return path;
  }

  timestamp(): string {
    return this.#engine.timestamp;
  }
}

/** `_stdin`, a terminal and exit codes are for the operation's commands. */
function forFacts(how: ResolvedArguments): ResolvedArguments {
  const { _stdin, _getPty, _successExitCodes, _ignoreErrors } = how.all;
  // Most say nothing of the kind: copying for each evaluation would be a tenth of the engine's work.
  if ((_stdin ?? _getPty ?? _successExitCodes) === undefined && !_ignoreErrors) return how;
  const { _stdin: input, _getPty: pty, _successExitCodes: codes, _ignoreErrors: ignores, ...all } = how.all;
  return { ...how, all, input: undefined };
}

/** Where the host wants temporary files. */
const TempDir = fact<NoArguments, string>({
  name: "tsinfra.TempDir",
  command: () =>
    sh`for d in "$TMPDIR" "$TMP" "$TEMP" /tmp /var/tmp; do if [ -n "$d" ] && [ -d "$d" ] && [ -w "$d" ]; then echo "$d"; break; fi; done`,
  parse: ([directory = "/tmp"]) => directory,
  empty: "/tmp",
});
