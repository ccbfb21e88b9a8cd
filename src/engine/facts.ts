/** Asking facts of one host: together where possible, and not twice. @module */
import { joined, quoted, sh, type Shell } from "../core/command.ts";
import { FactError, TsinfraError } from "../core/errors.ts";
import type { CommandFact, Fact } from "../core/fact.ts";
import type { Emit } from "./events.ts";
import { keyOf, type ResolvedArguments } from "./resolve.ts";
import type { Session } from "./session.ts";
import { isEscalated } from "./escalate.ts";

/** What asking needs from the host it belongs to. */
export interface FactSettings {
  readonly host: string;
  readonly session: Session;
  /** Facts are asked in a shell that others use too. */
  readonly fast: boolean;
  /** Keep what the host printed, for `recall`. */
  readonly remembers: boolean;
  readonly emit: Emit;
  /** Milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** The facts of one host. */
export class Facts {
  readonly #settings: FactSettings;
  readonly #answers = new Map<string, Answer>();
  /** Questions waiting for the end of this turn of the event loop, by how they are to be asked. */
  #waiting = new Map<string, Question[]>();
  /** How many times something ran on the host; answers from before do not count any more. */
  #epoch = 0;
  /** The last answers, whenever they were given. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(settings: FactSettings) {
    this.#settings = settings;
  }

  /** Something ran on the host: what was known may not be true any more. */
  forget(): void {
    this.#epoch++;
    this.#answers.clear();
  }

  /** Ask, or take the answer of the same question if nothing ran since and it is not older than `maxAge` seconds. The questions it comes to are added to `asked`. */
  async ask<A extends object, T>(
    fact: Fact<A, T>,
    args: A,
    how: ResolvedArguments,
    maxAge: number,
    asked?: Set<string>,
  ): Promise<T> {
    if ("from" in fact) return fact.derive(await this.ask(fact.from as Fact<A, never>, args, how, maxAge, asked), args);
    if (fact.variant && fact.variant.when?.(args) !== false) {
      const chosen = fact.variant.choose(await this.ask(fact.variant.by, {}, how, maxAge, asked), args);
      if (chosen) return this.ask(chosen, args, how, maxAge, asked);
    }
    const key = questionKey(fact, args, how);
    asked?.add(key);
    const known = this.#answers.get(key);
    if (known && known.epoch === this.#epoch && this.#settings.now() - known.askedAt <= maxAge * 1000)
      return known.value as Promise<T>;
    const value = new Promise<T>((resolve, reject) => {
      this.#enqueue({
        fact: fact as unknown as CommandFact<object, unknown>,
        args,
        how,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
    });
    this.#answers.set(key, { value, epoch: this.#epoch, askedAt: this.#settings.now() });
    value.catch(() => this.#answers.delete(key));
    return value;
  }

  /** The last answer, though something may have run since; `undefined` if there is none. `onQuestion` is called with every question that it stands on. */
  async recall<A extends object, T>(
    fact: Fact<A, T>,
    args: A,
    how: ResolvedArguments,
    onQuestion: (question: Recalled) => void,
  ): Promise<{ readonly value: T } | undefined> {
    if ("from" in fact) {
      const from = await this.recall(fact.from as Fact<A, never>, args, how, onQuestion);
      return from && { value: fact.derive(from.value, args) };
    }
    if (fact.variant && fact.variant.when?.(args) !== false) {
      const kind = await this.recall(fact.variant.by, {}, how, onQuestion);
      if (!kind) return undefined;
      const chosen = fact.variant.choose(kind.value, args);
      if (chosen) return this.recall(chosen, args, how, onQuestion);
    }
    const key = questionKey(fact, args, how);
    const found = this.#remembered.get(key);
    if (!found) return undefined;
    onQuestion({ key, still: () => stillHolds(found.question, found.lines) });
    return { value: found.value as T };
  }

  /** Ask questions again whose last answers are remembered. Never fails. */
  renew(keys: readonly string[]): void {
    for (const key of keys) {
      const found = this.#remembered.get(key);
      if (found)
        this.ask(found.question.fact, found.question.args, found.question.how, Number.POSITIVE_INFINITY).catch(
          () => undefined,
        );
    }
  }

  #enqueue(question: Question): void {
    const { surroundingsKey, all } = question.how;
    // What has its own input, terminal or deadline travels alone.
    const alone = all._getPty || all._stdin !== undefined || all._timeout !== undefined;
    const group = alone ? `${surroundingsKey} ${this.#waiting.size}` : surroundingsKey;
    const questions = this.#waiting.get(group);
    if (questions) questions.push(question);
    else this.#waiting.set(group, [question]);
    if (this.#waiting.size === 1 && !questions) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const groups = this.#waiting;
    this.#waiting = new Map();
    for (const questions of groups.values()) {
      const asks = this.#settings.fast ? togetherWherePossible(questions) : questions.map(alone);
      for (const batch of batches(asks)) void this.#send(batch);
    }
  }

  /** Send one batch. Every question in it is answered or rejected. */
  async #send(asks: readonly Ask[]): Promise<void> {
    const { emit, fast, host, now, session, signal } = this.#settings;
    const started = now();
    const questions = asks.flatMap(ask => ask.questions);
    for (const { fact, args } of questions) emit({ type: "fact:start", host, fact: fact.name, args: { ...args } });
    try {
      const how = questions[0]!.how;
      const nonce = crypto.randomUUID();
      const commands = asks.map(ask => ask.command);
      for (const command of commands) emit({ type: "command", host, command: command.toString(), for: "fact" });
      // What is asked together sees by itself whether the answer is whole.
      const single = asks.length === 1 && (!fast || asks[0]!.isTogether);
      const result = await session.run(single ? commands[0]! : batchScript(asks, nonce), {
        surroundings: how.surroundings,
        signal,
        isOurs: fast,
        ...(how.input ? { stdin: how.input } : {}),
        ...(how.all._getPty ? { pty: true } : {}),
        ...(how.all._timeout === undefined ? {} : { timeout: how.all._timeout }),
      });
      const stdout = Buffer.from(result.stdout).toString();
      const stderr = Buffer.from(result.stderr).toString();
      const outputs = single
        ? [{ stdout, stderr, exitCode: result.exitCode }]
        : splitBatch(stdout, stderr, nonce, asks.length);
      asks.forEach((ask, index) =>
        this.#share(ask, outputs[index] ?? { stdout: "", stderr, exitCode: result.exitCode || 1 }),
      );
    } catch (error) {
      for (const question of questions) question.reject(error);
    }
    const seconds = (now() - started) / 1000;
    for (const { fact, args } of questions)
      emit({ type: "fact:end", host, fact: fact.name, args: { ...args }, seconds });
  }

  /** Give each question of one command its part of the output. */
  #share({ questions, isTogether }: Ask, output: Output): void {
    if (!isTogether) return this.#answer(questions[0]!, output);
    const { fact } = questions[0]!;
    const parts = fact.together!.split(
      linesOf(output.stdout),
      questions.map(question => question.args),
    );
    if (parts)
      questions.forEach((question, index) =>
        this.#answer(question, { stdout: (parts[index] ?? []).join("\n"), stderr: "", exitCode: 0 }),
      );
    else for (const batch of batches(questions.map(alone))) void this.#send(batch);
  }

  #answer({ fact, args, how, resolve, reject }: Question, { stdout, stderr, exitCode }: Output): void {
    const { emit, host } = this.#settings;
    const lines = linesOf(stdout);
    for (const line of lines) emit({ type: "output", host, stream: "stdout", line, for: "fact" });
    const accepted = how.all._successExitCodes ?? [0];
    if (!accepted.includes(exitCode)) {
      if (how.all._ignoreErrors || (isEscalated(how.surroundings) && NO_SUCH_USER.test(stderr)))
        return resolve(fact.empty);
      const reason = stderr.trim().split("\n").at(-1) || `exit code ${exitCode}`;
      return reject(
        new FactError(`Cannot get fact ${fact.name}: ${reason}`, {
          host,
          hint: `The command was: ${factCommand({ fact, args })}`,
        }),
      );
    }
    try {
      const value = lines.length === 0 ? fact.empty : fact.parse(lines, args);
      if (this.#settings.remembers && exitCode === 0 && stdout.length <= REMEMBERED_LENGTH)
        this.#remembered.set(questionKey(fact, args, how), { question: { fact, args, how }, value, lines });
      resolve(value);
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error);
      reject(
        error instanceof TsinfraError
          ? error
          : new FactError(`Cannot read the answer of fact ${fact.name}: ${because}`, {
              host,
              hint: `The host printed: ${lines
                .slice(0, 5)
                .map(line => JSON.stringify(line))
                .join(", ")}`,
              cause: error,
            }),
      );
    }
  }
}

/** A question whose last answer is taken for true. */
export interface Recalled {
  readonly key: string;
  /** A shell test that it is. */
  readonly still: () => Shell;
}
interface Remembered {
  readonly question: Pick<Question, "fact" | "args" | "how">;
  readonly value: unknown;
  readonly lines: readonly string[];
}
/** Longer answers are not compared on the host. */
const REMEMBERED_LENGTH = 2048;

interface Answer {
  readonly value: Promise<unknown>;
  readonly epoch: number;
  readonly askedAt: number;
}
interface Question {
  readonly fact: CommandFact<object, unknown>;
  readonly args: object;
  readonly how: ResolvedArguments;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}
/** One command, and whose questions it answers. */
interface Ask {
  readonly questions: readonly Question[];
  readonly command: Shell;
  readonly isTogether: boolean;
}
interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const NO_SUCH_USER = /unknown user|user .* does not exist/i;

/** Two facts may share a name when users write their own: the object decides. */
const factKeys = new WeakMap<object, number>();
let lastFactKey = 0;
function factKey(fact: object): number {
  let key = factKeys.get(fact);
  if (key === undefined) factKeys.set(fact, (key = ++lastFactKey));
  return key;
}

/** Equal for questions that have the same answer. */
const questionKey = (fact: object, args: object, how: ResolvedArguments): string =>
  `${how.surroundingsKey} ${factKey(fact)} ${keyOf(args)}`;

/** A shell test that the host would print the same lines again. */
function stillHolds(question: Pick<Question, "fact" | "args">, lines: readonly string[]): Shell {
  const { fact, args } = question;
  return (
    fact.still?.(lines, args) ??
    sh`[ "$(eval ${quoted(factCommand(question))} </dev/null 2>/dev/null; echo $?)" = ${[...lines, "0"].join("\n")} ]`
  );
}

/** The command of a fact: nothing, where the program it needs is missing. */
function factCommand({ fact, args }: Pick<Question, "fact" | "args">): Shell {
  const command = fact.command(args);
  const requires = typeof fact.requires === "function" ? fact.requires(args) : fact.requires;
  return requires === undefined
    ? command
    : sh`! command -v ${requires} >/dev/null || { ${command}
}`;
}

/** One shell argument may be at most 128 KiB on Linux, and quoting makes it longer. */
const BATCH_BYTES = 48 * 1024;

function* batches(asks: readonly Ask[]): Generator<Ask[]> {
  let batch: Ask[] = [];
  let length = 0;
  for (const ask of asks) {
    const size = ask.command.wire().length;
    if (batch.length > 0 && length + size > BATCH_BYTES) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(ask);
    length += size;
  }
  if (batch.length > 0) yield batch;
}

const alone = (question: Question): Ask => ({
  questions: [question],
  command: factCommand(question),
  isTogether: false,
});

/** Questions of one fact that knows how are asked by one command, in as many pieces as its length demands. */
function togetherWherePossible(questions: readonly Question[]): readonly Ask[] {
  const asks: Ask[] = [];
  const byFact = new Map<Question["fact"], Question[]>();
  for (const question of questions) {
    if (!question.fact.together?.accepts(question.args)) asks.push(alone(question));
    else if (byFact.has(question.fact)) byFact.get(question.fact)!.push(question);
    else byFact.set(question.fact, [question]);
  }
  for (const [fact, all] of byFact) {
    for (let from = 0; from < all.length; from += TOGETHER) {
      const some = all.slice(from, from + TOGETHER);
      asks.push({
        questions: some,
        command: fact.together!.command(some.map(question => question.args)),
        isTogether: true,
      });
    }
  }
  return asks;
}
/** Paths are at most 4 KiB: this many fit into one command. */
const TOGETHER = 200;

const linesOf = (text: string): readonly string[] => (text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/));

/**
 * Each command in a subshell of its own, evaluated so that a syntax error stays its own.
 * Its output is collected and written at once between two marks: what something left running prints cannot get into it.
 * Commands that answer many questions are ours and simple: they run as they are, a process each, and check what they print.
 */
const batchScript = (asks: readonly Ask[], nonce: string): Shell =>
  joined(
    "\n",
    asks.map(({ command, isTogether }) =>
      isTogether
        ? sh`printf '%s begin\\n' ${nonce}; ${command} </dev/null; printf '\\002\\n%s %s\\n' ${nonce} $?; printf '%s\\n' ${nonce} >&2`
        : sh`o=$(eval ${quoted(command)} </dev/null; c=$?; printf '\\002'; exit $c); printf '%s begin\\n%s\\n%s %s\\n' ${nonce} "$o" ${nonce} $?; printf '%s\\n' ${nonce} >&2`,
    ),
  );

/** The outputs between the marks, in order. */
function splitBatch(stdout: string, stderr: string, nonce: string, count: number): (Output | undefined)[] {
  const errors = stderr.split(`${nonce}\n`);
  const begin = `${nonce} begin\n`;
  const end = `\n${nonce} `;
  let at = 0;
  return Array.from({ length: count }, (_, index) => {
    const from = stdout.indexOf(begin, at);
    const to = stdout.indexOf(end, from + begin.length - 1);
    if (from === -1 || to === -1) return undefined;
    at = stdout.indexOf("\n", to + end.length);
    const output = stdout.slice(from + begin.length, to);
    // The shell drops line breaks at the end: the mark behind them keeps them, unless the command left early.
    return {
      stdout: output.endsWith("\x02") ? output.slice(0, -1) : output,
      stderr: errors[index] ?? "",
      exitCode: Number(stdout.slice(to + end.length, at)),
    };
  });
}
