/** Questions to a host, put together into as few commands as possible, and the answers taken apart. Pure. @module */
import { joined, quoted, sh, Shell } from "../../core/command.ts";
import { declaredAt } from "../../core/declared.ts";
import { FactError } from "../../core/errors.ts";
import type { CommandFact } from "../../core/fact.ts";
import { linesOf } from "../../core/lines.ts";
import type { ResolvedArguments } from "./arguments.ts";
import { kindOf } from "../../core/kind.ts";

/** A question that waits for its answer. */
export interface PendingQuestion {
  readonly key: string;
  readonly fact: CommandFact<object, unknown>;
  readonly args: object;
  readonly how: ResolvedArguments;
  /** Seconds that the host may take for it, from its turn on; `0`: no limit. */
  readonly limit: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One command, and whose questions it answers. */
export interface Ask {
  readonly questions: readonly PendingQuestion[];
  readonly command: Shell;
  readonly isTogether: boolean;
}

/** What one command printed, and how it ended. */
export interface AskOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** The command of a fact: nothing, where the program it needs is missing. Throws what the fact throws. */
export function factCommand({ fact, args }: Pick<PendingQuestion, "fact" | "args">): Shell {
  const command: unknown = fact.command(args);
  if (!(command instanceof Shell))
    throw new FactError(`The command of fact ${fact.name} must be made with sh\`…\`, found ${kindOf(command)}`, {
      at: declaredAt(fact),
    });
  const requires = typeof fact.requires === "function" ? fact.requires(args) : fact.requires;
  return requires === undefined
    ? command
    : sh`! command -v ${requires} >/dev/null || { ${command}
}`;
}

/** Each question by itself; one whose command throws is given to `onBroken`. */
export const separately = (questions: readonly PendingQuestion[], onBroken: OnBroken): readonly Ask[] =>
  questions.flatMap(question =>
    attempt(question, onBroken, () => ({ questions: [question], command: factCommand(question), isTogether: false })),
  );

type OnBroken = (question: PendingQuestion, error: unknown) => void;

/** Questions of one fact that knows how are asked by one command, in as many pieces as its length demands; one whose command throws is given to `onBroken`. */
export function togetherWherePossible(questions: readonly PendingQuestion[], onBroken: OnBroken): readonly Ask[] {
  const single: PendingQuestion[] = [];
  const byFact = new Map<PendingQuestion["fact"], PendingQuestion[]>();
  for (const question of questions) {
    const [accepted] = attempt(question, onBroken, () => question.fact.together?.accepts(question.args) ?? false);
    if (accepted === undefined) continue;
    if (!accepted) single.push(question);
    else if (byFact.has(question.fact)) byFact.get(question.fact)!.push(question);
    else byFact.set(question.fact, [question]);
  }
  const asks = [...separately(single, onBroken)];
  for (const [fact, all] of byFact) {
    for (let from = 0; from < all.length; from += TOGETHER) {
      const some = all.slice(from, from + TOGETHER);
      try {
        asks.push({ questions: some, command: fact.together!.command(some.map(({ args }) => args)), isTogether: true });
      } catch {
        // One of them is the reason: asked by itself, it is told.
        asks.push(...separately(some, onBroken));
      }
    }
  }
  return asks;
}
/** Paths are at most 4 KiB: this many fit into one command. */
const TOGETHER = 200;

function attempt<T>(question: PendingQuestion, onBroken: OnBroken, make: () => T): readonly T[] {
  try {
    return [make()];
  } catch (error) {
    onBroken(question, error);
    return [];
  }
}

/** One shell argument may be at most 128 KiB on Linux, and quoting makes it longer. */
const BATCH_BYTES = 48 * 1024;

/** Asks that travel in one command. */
export function* batches(asks: readonly Ask[]): Generator<Ask[]> {
  let batch: Ask[] = [];
  let length = 0;
  for (const ask of asks) {
    const size = Buffer.byteLength(ask.command.wire());
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

/**
 * Each command in a subshell of its own, evaluated so that a syntax error stays its own.
 * Its output is collected and written at once between two marks: what something left running prints cannot get into it.
 * Commands that answer many questions are ours and simple: they run as they are, a process each, and check what they print.
 */
export const batchScript = (asks: readonly Ask[], nonce: string): Shell =>
  joined(
    "\n",
    asks.map(({ command, isTogether }) =>
      isTogether
        ? sh`printf '%s begin\\n' ${nonce}; ${command} </dev/null; printf '\\002\\n%s %s\\n' ${nonce} $?; printf '%s\\n' ${nonce} >&2`
        : sh`tsinfra_o=$(eval ${quoted(command)} </dev/null; c=$?; printf '\\002'; exit $c); printf '%s begin\\n%s\\n%s %s\\n' ${nonce} "$tsinfra_o" ${nonce} $?; printf '%s\\n' ${nonce} >&2`,
    ),
  );

/** The outputs between the marks, in order; `undefined` where there is none. */
export function splitBatch(stdout: string, stderr: string, nonce: string, count: number): (AskOutput | undefined)[] {
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

/** The part of a shared command's output that answers each of its questions; `undefined`: this host must be asked one by one. */
export function shareOutput({ questions }: Ask, { stdout }: AskOutput): readonly AskOutput[] | undefined {
  const { fact } = questions[0]!;
  const parts = fact.together!.split(
    linesOf(stdout),
    questions.map(({ args }) => args),
  );
  return parts && questions.map((_, index) => ({ stdout: (parts[index] ?? []).join("\n"), stderr: "", exitCode: 0 }));
}
