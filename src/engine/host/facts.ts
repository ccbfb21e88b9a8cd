/** What is known of one host, and since when. @module */
import type { Shell } from "../../core/command.ts";
import type { Config } from "../../core/config.ts";
import { declaredAt } from "../../core/declared.ts";
import { FactError, TsinfraError } from "../../core/errors.ts";
import type { Fact } from "../../core/fact.ts";
import { linesOf } from "../../core/lines.ts";
import type { Emit } from "../events.ts";
import { threw } from "../report.ts";
import type { ResolvedArguments } from "./arguments.ts";
import { type Answer, isFresh, type Recalled, type Remembered } from "./answer.ts";
import type { ChangeLog } from "./change-log.ts";
import { isEscalated } from "./escalation.ts";
import {
  type Ask,
  type AskOutput,
  batches,
  batchScript,
  factCommand,
  type PendingQuestion,
  separately,
  shareOutput,
  splitBatch,
  togetherWherePossible,
} from "./fact-batches.ts";
import { asString, FactOutput, MOST_ANSWER } from "./fact-output.ts";
import { questionKey, stillHolds, travelsAlone } from "./question.ts";
import { isBehind, type Ran, type Slot } from "./sending.ts";
import type { Session } from "./session.ts";
import { lastReason } from "./streams.ts";
import { nextTurn, TimeLimit } from "./time-limit.ts";

/** How old an answer may be, and how long the host may take, in seconds. */
export type FactConfig = Pick<Config, "factMaxAge" | "factTimeout">;

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
  /** What has run on other hosts, where hosts wait for each other. */
  readonly changes?: ChangeLog | undefined;
  readonly signal: AbortSignal;
}

/**
 * The facts of one host.
 *
 * An answer is kept until something runs on the host that may change it. One that was asked while a command ran is kept
 * beyond its end only if it was asked in the very shell in which that command ran, and behind it: nothing else says
 * which of the two the host did first.
 */
export class Facts {
  readonly #settings: FactSettings;
  readonly #answers = new Map<string, Answer>();
  /** Questions waiting for the end of this turn of the event loop, by how they are to be asked. */
  #waiting = new Map<string, PendingQuestion[]>();
  /** The last answers, whenever they were given. */
  readonly #remembered = new Map<string, Remembered>();

  #askedAgain = 0;

  /** While preparing: as a user who is not there yet, there is nothing to be found. Otherwise it is an error. */
  usersMayCome = false;

  constructor(settings: FactSettings) {
    this.#settings = settings;
  }

  /** What was known may not be true any more. Questions that have not been sent yet are not concerned. */
  forget(): void {
    for (const [key, answer] of this.#answers) if (answer.isSent) this.#answers.delete(key);
  }

  /**
   * Something is about to run on the host: what was known is forgotten.
   * Returns what to call when it has ended, with how its commands ended; without, where nobody knows what has run.
   */
  beginChange(): (ran?: readonly Ran[]) => void {
    this.forget();
    return ran => {
      this.#settings.changes?.ended(this.#settings.host);
      for (const [key, { isSent, slot }] of this.#answers)
        if (isSent && !ran?.every(command => isBehind(slot, command.slot))) this.#answers.delete(key);
    };
  }

  /** The same of what is done on the control machine, which may change this host from there, or all hosts. */
  async changedBy<T>(body: () => Promise<T>, mayChangeAll: boolean): Promise<T> {
    this.forget();
    try {
      return await body();
    } finally {
      this.forget();
      if (mayChangeAll) this.#settings.changes?.ended("");
    }
  }

  /** Ask, or take the answer of the same question if nothing ran since and it is not too old, or it has not been sent yet. The questions it comes to are added to `asked`. */
  async ask<A extends object, T>(
    fact: Fact<A, T>,
    args: A,
    how: ResolvedArguments,
    config: FactConfig,
    asked?: Set<string>,
  ): Promise<T> {
    if ("from" in fact) {
      const answer = await this.ask(fact.from as Fact<A, never>, args, how, config, asked);
      return this.#guarded(fact, () => fact.derive(answer, args));
    }
    const { variant } = fact;
    if (variant && this.#guarded(fact, () => variant.when?.(args)) !== false) {
      const kind = await this.ask(variant.by, {}, how, config, asked);
      const chosen = this.#guarded(fact, () => variant.choose(kind, args));
      if (chosen) return this.ask(chosen, args, how, config, asked);
    }
    const key = questionKey(fact, args, how);
    asked?.add(key);
    const known = this.#answers.get(key);
    if (known && (!known.isSent || isFresh(known, config.factMaxAge, this.#settings))) {
      // Code that waits for another answer asks without end, and nothing else would be heard.
      if (++this.#askedAgain % ROUNDS === 0) {
        await nextTurn();
        this.#settings.signal.throwIfAborted();
      }
      return known.value as Promise<T>;
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const answer: Answer = { value: promise, askedAt: this.#settings.now(), moment: 0, isSent: false, slot: undefined };
    this.#answers.set(key, answer);
    promise.catch(() => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    });
    const limit = how.all._timeout ?? config.factTimeout;
    this.#enqueue({ key, fact: fact as unknown as PendingQuestion["fact"], args, how, limit, resolve, reject });
    return promise as Promise<T>;
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
    onQuestion({ key, how, still: () => stillHolds(found.question, found.lines) });
    return { value: found.value as T };
  }

  /** Ask questions again whose last answers are remembered. Never fails. */
  renew(keys: readonly string[]): void {
    for (const key of keys) {
      const found = this.#remembered.get(key);
      if (!found) continue;
      const { args, fact, how, limit } = found.question;
      this.ask(fact, args, how, { factMaxAge: Number.POSITIVE_INFINITY, factTimeout: limit }).catch(() => undefined);
    }
  }

  #enqueue(question: PendingQuestion): void {
    const group = `${question.how.surroundingsKey} ${question.limit} ${travelsAlone(question.how) ? this.#waiting.size : ""}`;
    const questions = this.#waiting.get(group);
    if (questions) questions.push(question);
    else this.#waiting.set(group, [question]);
    if (this.#waiting.size === 1 && !questions) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const groups = this.#waiting;
    this.#waiting = new Map();
    const grouped = this.#settings.fast ? togetherWherePossible : separately;
    for (const questions of groups.values()) {
      const asks = grouped(questions, ({ fact, reject }, error) => reject(this.#broken(fact, error)));
      for (const batch of batches(asks)) this.#send(batch);
    }
  }

  /** Send one batch. Every question in it is answered or rejected. */
  #send(asks: readonly Ask[]): void {
    const sending = this.#sendBatch(asks).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }
  readonly #sending = new Set<Promise<void>>();

  /** Wait until nothing is asked any more. Once the host is disconnected that is soon. */
  async ended(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  async #sendBatch(asks: readonly Ask[]): Promise<void> {
    const { emit, fast, host, now, session, signal } = this.#settings;
    const started = now();
    const questions = asks.flatMap(ask => ask.questions);
    for (const { fact, args } of questions) emit({ type: "fact:start", host, fact: fact.name, args: { ...args } });
    const answers = questions.map(({ key }) => this.#answers.get(key)).filter(answer => answer !== undefined);
    const { how, limit: seconds } = questions[0]!;
    const nonce = crypto.randomUUID();
    // What is asked together sees by itself whether the answer is whole.
    // What has an input or a terminal of its own must have it itself.
    const single = asks.length === 1 && (!fast || asks[0]!.isTogether || travelsAlone(how));
    using limit = new TimeLimit(seconds, signal);
    const printed = new FactOutput(nonce, () => limit.begin());
    try {
      // A host that takes no part is connected to when it is asked: until then it is sent nothing.
      if (!session.isConnected) await session.connect();
      const commands = asks.map(ask => ask.command);
      for (const command of commands) emit({ type: "command", host, command: command.toString(), for: "fact" });
      const moment = this.#settings.changes?.now() ?? 0;
      for (const answer of answers) Object.assign(answer, { isSent: true, moment });
      const sent = await session.send(
        [single ? commands[0]! : batchScript(asks, nonce)],
        {
          surroundings: how.surroundings,
          signal: limit.signal,
          isOurs: fast,
          keep: 0,
          onTurn: () => limit.begin(),
          // What is ended may still have something to say, its end for one.
          onOutput: (stream, chunk) => (limit.isOver ? undefined : printed.add(stream, chunk)),
          ...(how.input ? { stdin: how.input } : {}),
          ...(how.all._getPty ? { pty: true } : {}),
        },
        how.all._successExitCodes ?? [0],
      );
      for (const answer of answers) answer.slot = sent.slot;
      const result = (await sent.results)[0]!;
      limit.signal.throwIfAborted();
      if (result.trouble) throw result.trouble;
      // It ran elsewhere than it was sent to: when, nobody knows.
      if (sent.slot && result.slot?.shell !== sent.slot.shell) this.#drop(answers);
      if (printed.isCut) this.#cutShort(asks);
      else {
        const { stdout, stderr } = result.started ? printed.text() : { stdout: "", stderr: asString(result.stderr) };
        const outputs = single
          ? [{ stdout, stderr, exitCode: result.exitCode }]
          : splitBatch(stdout, stderr, nonce, asks.length);
        for (const [index, ask] of asks.entries())
          this.#share(ask, outputs[index] ?? { stdout: "", stderr, exitCode: result.exitCode || 1 });
      }
    } catch (error) {
      // Where the beginning is lost nobody knows whose answers are left.
      if (limit.isOver && printed.isCut && !single) this.#sendOneByOne(asks);
      else if (limit.isOver) this.#tookTooLong(asks, single ? [] : printed.answered(asks.length), seconds);
      else for (const question of questions) question.reject(error);
    }
    const took = (now() - started) / 1000;
    for (const { fact, args } of questions)
      emit({ type: "fact:end", host, fact: fact.name, args: { ...args }, seconds: took });
  }

  /** There was more than is kept: asked by itself, each shows whether it is the one. */
  #cutShort(asks: readonly Ask[]): void {
    if (asks.length > 1) return this.#sendOneByOne(asks);
    for (const { fact, reject } of asks[0]!.questions)
      reject(
        new FactError(`Cannot get fact ${fact.name}: the answer is longer than ${MOST_ANSWER / 1024 / 1024} MiB`, {
          host: this.#settings.host,
          hint: "Ask for less",
        }),
      );
  }

  /** Those before it were answered, and those behind it are asked again: it alone has failed. */
  #tookTooLong(asks: readonly Ask[], answered: readonly AskOutput[], seconds: number): void {
    for (const [index, output] of answered.entries()) this.#share(asks[index]!, output);
    const [slow, ...others] = asks.slice(answered.length);
    for (const { fact, reject } of slow?.questions ?? [])
      reject(
        new FactError(`Cannot get fact ${fact.name}: no answer within ${seconds} seconds`, {
          host: this.#settings.host,
          hint: "`config.factTimeout` sets how long a host may take, `_timeout` for one question or operation",
        }),
      );
    this.#sendOneByOne(others);
  }

  #sendOneByOne(asks: readonly Ask[]): void {
    for (const ask of asks) this.#send([ask]);
  }

  #drop(answers: readonly Answer[]): void {
    for (const [key, answer] of this.#answers) if (answers.includes(answer)) this.#answers.delete(key);
  }

  /** Give each question of one command its part of the output. */
  #share(ask: Ask, output: AskOutput): void {
    const { questions, isTogether } = ask;
    if (!isTogether) return this.#answer(questions[0]!, output);
    let parts: readonly AskOutput[] | undefined;
    try {
      parts = shareOutput(ask, output);
    } catch {
      // Asked by itself, the one that is the reason is told.
    }
    if (parts) return parts.forEach((part, index) => this.#answer(questions[index]!, part));
    const asks = separately(questions, ({ fact, reject }, error) => reject(this.#broken(fact, error)));
    for (const batch of batches(asks)) this.#send(batch);
  }

  #answer(question: PendingQuestion, { stdout, stderr, exitCode }: AskOutput): void {
    const { fact, args, how, key, resolve, reject } = question;
    const { emit, host } = this.#settings;
    const lines = linesOf(stdout);
    for (const line of lines) emit({ type: "output", host, stream: "stdout", line, for: "fact" });
    const accepted = how.all._successExitCodes ?? [0];
    if (!accepted.includes(exitCode)) {
      if (this.usersMayCome && isEscalated(how.surroundings) && NO_SUCH_USER.test(stderr)) {
        // Not to be taken for an answer later, when the user should be there.
        this.#answers.delete(key);
        this.#tellMissingUser(stderr);
        return resolve(fact.empty);
      }
      // Some say on standard output why they do not let anybody in.
      const reason =
        [stderr, stdout].map(said => lastReason(said.split("\n"))).find(Boolean) ?? `exit code ${exitCode}`;
      const message = `Cannot get fact ${fact.name}: ${reason}`;
      if (how.all._ignoreErrors) {
        emit({ type: "log", level: "warn", host, message: `${message} (ignored: taken as absent)` });
        return resolve(fact.empty);
      }
      return reject(new FactError(message, { host, hint: `The command was: ${factCommand(question)}` }));
    }
    try {
      const value = lines.length === 0 ? fact.empty : fact.parse(lines, args);
      if (value instanceof Promise) return reject(notAtOnce(fact, value, host));
      if (this.#settings.remembers && exitCode === 0 && stdout.length <= REMEMBERED_LENGTH)
        this.#remembered.set(key, { question, value, lines });
      resolve(value);
    } catch (error) {
      if (error instanceof TsinfraError) return reject(error);
      const because = error instanceof Error ? error.message : String(error);
      const printed = lines.slice(0, 5).map(line => JSON.stringify(line));
      const details = { host, hint: `The host printed: ${printed.join(", ")}`, cause: error };
      reject(new FactError(`Cannot read the answer of fact ${fact.name}: ${because}`, details));
    }
  }

  /** A user whose name is misspelt looks like one that the deploy will make. */
  #tellMissingUser(stderr: string): void {
    const { emit, host } = this.#settings;
    const reason = stderr.split("\n").find(line => NO_SUCH_USER.test(line)) ?? "";
    if (this.#missingUsers.has(reason)) return;
    this.#missingUsers.add(reason);
    const message = `What is asked as a user who is not there is taken as absent while preparing (${reason.trim()})`;
    emit({ type: "log", level: "warn", host, message });
  }
  readonly #missingUsers = new Set<string>();

  /** What a fact's own code throws is told as the fact's. */
  #guarded<T>(fact: { readonly name: string }, body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw this.#broken(fact, error);
    }
  }

  #broken(fact: { readonly name: string }, error: unknown): TsinfraError {
    if (!(error instanceof TsinfraError))
      return new FactError(threw(`The fact ${fact.name}`, error), { host: this.#settings.host, cause: error });
    error.host ??= this.#settings.host;
    return error;
  }
}

/** `parse` must be pure; what becomes of the promise is nobody's any more. */
function notAtOnce(fact: { readonly name: string }, answer: Promise<unknown>, host: string): FactError {
  answer.catch(() => undefined);
  const hint = "It is asked at once: it cannot be async, nor wait for anything";
  return new FactError(`The parse of fact ${fact.name} must give the answer, found a promise`, {
    host,
    hint,
    at: declaredAt(fact),
  });
}

/** Longer answers are not compared on the host. */
const REMEMBERED_LENGTH = 2048;
const ROUNDS = 1000;

const NO_SUCH_USER = /unknown user|user .* does not exist/i;
