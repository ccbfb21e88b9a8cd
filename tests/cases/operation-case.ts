/** Cases of operations: what an operation does on a host of which some facts are known. @module */
import { posix } from "node:path";
import type { HostControl } from "../../src/core/host.ts";
import type { OperationDefinition } from "../../src/core/operation.ts";
import type { CheckArguments } from "../../src/reference/index.ts";
import { commandShape, encodeCommand } from "./commands.ts";
import { type FactArguments, fakeHost, type NamedFact } from "./host.ts";
import { type MemoryFile, memoryFiles } from "./local-files.ts";
import { emptyAnswer, encodeError, misfit, only } from "./outcome.ts";
import { anything, count, listOf, mapOf, object, type Shape, someObject, text, textOr, yes } from "./shape.ts";
import { CaseError, decode, encode, isList, isObject, type Json, type JsonObject, normal } from "./values.ts";

/** One answer of the host. */
export interface GivenFact {
  readonly fact: string;
  readonly args?: JsonObject;
  readonly answer?: Json;
  /** In place of `answer`: what the fact answers where its command prints nothing. */
  readonly empty?: true;
  /** It holds from the time when this many commands were made; default 0. */
  readonly after?: number;
}

/** What the author of a case states. */
export interface OperationInput {
  readonly note?: string;
  readonly args?: JsonObject;
  readonly host?: { readonly name?: string; readonly groups?: readonly string[]; readonly data?: JsonObject };
  readonly facts?: readonly GivenFact[];
  /** Files of the control machine by path: a relative one is below `/deploy`, where the deploy file is. */
  readonly local?: Readonly<Record<string, Json>>;
  /** Diffs are wanted. */
  readonly diff?: true;
  /** What commands print that functions run, in order. */
  readonly replies?: readonly string[];
}

/** A case: the input, and what comes of it. */
export interface OperationCase extends OperationInput {
  readonly commands?: readonly Json[];
  /** The last reason given for doing nothing. */
  readonly noop?: string;
  readonly warnings?: readonly string[];
  readonly diffs?: readonly Json[];
  readonly error?: JsonObject;
}

const factShape: Shape = (json, at) => {
  object({ fact: text, args: someObject, answer: anything, empty: yes, after: count }, ["fact"])(json, at);
  if (isObject(json) && "answer" in json === "empty" in json)
    throw new CaseError(`${at} must have either "answer" or "empty"`);
};
const localShape = textOr(
  Object.fromEntries(
    ["content", "type", "linkTarget"].map(key => [
      key,
      { content: anything, type: text, mode: text, atime: anything, mtime: anything, linkTarget: text },
    ]),
  ),
);
export const INPUT_KEYS = {
  note: text,
  args: someObject,
  host: object({ name: text, groups: listOf(text), data: someObject }),
  facts: listOf(factShape),
  local: mapOf(localShape),
  diff: yes,
  replies: listOf(text),
};
const shape = object({
  ...INPUT_KEYS,
  commands: listOf(commandShape),
  noop: text,
  warnings: listOf(text),
  diffs: listOf(object({ path: text, before: anything, after: anything }, ["path"])),
  error: object({ code: text, message: text, hint: text }, ["message"]),
});

/** Throws `CaseError`. */
export function parseOperationCase(json: Json): OperationCase {
  shape(json, "$");
  const found = json as unknown as OperationCase;
  if (!found.error && !found.commands) throw new CaseError(`$ must have "commands" or "error"`);
  if (found.commands?.length === 0 && found.noop === undefined && !found.error)
    throw new CaseError(`$ has no commands, and must say in "noop" why there are none`);
  return found;
}

/** What a case says that comes of its input, in the one spelling. */
export const expectedOfOperation = ({ commands, noop, warnings, diffs, error }: OperationCase): JsonObject =>
  only({ commands: normal(commands ?? []), noop, warnings, diffs: diffs && normal(diffs), error });

export interface OperationRun {
  readonly outcome: JsonObject;
  /** Facts that were asked, each with the entry of the case that answered it. */
  readonly asked: readonly GivenFact[];
  readonly unasked: readonly GivenFact[];
}

/** Who answers what the case does not: throws, or makes an entry. */
export type OnMissing = (fact: NamedFact, args: JsonObject) => GivenFact;

/** Throws `CaseError` for a fact that the case does not give, one that is not asked, or a reply that nobody waits for. */
export async function runOperationCase(
  operation: OperationDefinition<object>,
  input: OperationInput,
  check: CheckArguments,
): Promise<JsonObject> {
  const missing: string[] = [];
  const ran = await tryOperation(operation, input, check, (fact, args) => {
    missing.push(`${fact.name} ${JSON.stringify(args)}`);
    throw new CaseError("The case does not give this fact");
  }).catch((error: unknown) => {
    if (missing.length === 0) throw error;
  });
  // Also where the operation thinks nothing of it: it asked.
  if (!ran || missing.length > 0) throw new CaseError(`The case does not give these facts: ${missing.join("; ")}`);
  const { outcome, unasked } = ran;
  if (unasked.length > 0)
    throw new CaseError(
      `Facts that are given and never asked: ${unasked.map(({ fact, args = {} }) => `${fact} ${JSON.stringify(args)}`).join("; ")}`,
    );
  return outcome;
}

/** Run an operation to its end, and the functions among its commands too. */
export async function tryOperation(
  operation: OperationDefinition<object>,
  input: OperationInput,
  check: CheckArguments,
  onMissing: OnMissing,
): Promise<OperationRun> {
  const facts = [...(input.facts ?? [])];
  const asked = new Set<GivenFact>();
  const commands: Json[] = [];

  const ask = (fact: NamedFact, args: FactArguments): unknown => {
    const wanted = encode(args) as JsonObject;
    const isAnswer = (entry: GivenFact): boolean =>
      entry.fact === fact.name &&
      (entry.after ?? 0) <= commands.length &&
      Bun.deepEquals(normal(entry.args ?? {}), wanted);
    let given = facts.findLast(isAnswer);
    if (!given) facts.push((given = onMissing(fact, wanted)));
    asked.add(given);
    return answerOf(given, fact, args);
  };

  const temporary = new Map<string, string>();
  const host = fakeHost({
    ...(input.host?.name === undefined ? {} : { name: input.host.name }),
    groups: input.host?.groups ?? ["all"],
    data: decode(input.host?.data ?? {}) as Record<string, unknown>,
    ask,
    local: memoryFiles(localFiles(input.local ?? {}), DIRECTORIES),
    wantsDiff: input.diff ?? false,
    tempDir: "/tmp",
    tempFile(key = `${temporary.size}`, directory) {
      const name = temporary.get(key) ?? `temp-${temporary.size + 1}`;
      temporary.set(key, name);
      return `${directory}/${name}`;
    },
    timestamp: "2601010000",
  });
  const replies = [...(input.replies ?? [])];
  let error: JsonObject | undefined;
  let inFunction = false;
  try {
    const args = decode(input.args ?? {}) as object;
    check(operation.name, args);
    for await (const command of operation.steps(host, args)) {
      if (command.kind !== "function") {
        commands.push(encodeCommand(command));
        continue;
      }
      const does: string[] = [];
      inFunction = true;
      try {
        await command.run(control(host, does, () => replies.shift() ?? ""));
        inFunction = false;
      } finally {
        commands.push(encodeCommand(command, does));
      }
    }
  } catch (thrown) {
    error = encodeError(thrown, operation.name, () => inFunction);
  }
  if (replies.length > 0) throw new CaseError(`Replies that nobody waited for: ${JSON.stringify(replies)}`);
  const { noops, warnings, diffs } = host;
  const outcome = only({
    commands,
    noop: noops.at(-1),
    warnings: warnings.length > 0 ? warnings : undefined,
    diffs: diffs.length > 0 ? diffs.map(encode) : undefined,
    error,
  });
  return { outcome, asked: facts.filter(entry => asked.has(entry)), unasked: facts.filter(entry => !asked.has(entry)) };
}

const DIRECTORIES = { deploy: "/deploy", working: "/work" };
const SOME_TIME = new Date("2026-01-01T00:00:00Z");

/** Files, and the directories above them, by path. */
function localFiles(local: Readonly<Record<string, Json>>): readonly MemoryFile[] {
  const files = new Map<string, MemoryFile>();
  for (const [name, json] of Object.entries(local)) {
    const path = posix.resolve(DIRECTORIES.deploy, name);
    const given = (
      isObject(json) && !Object.keys(json).some(key => key.startsWith("$"))
        ? decode(json)
        : {
            content: decode(json),
          }
    ) as Partial<MemoryFile>;
    const type = given.type ?? (given.linkTarget === undefined ? "file" : "link");
    const content = type === "file" ? (given.content ?? "") : undefined;
    files.set(path, {
      path,
      type,
      mode: type === "file" ? "0644" : "0755",
      size: content === undefined ? 4096 : Buffer.byteLength(content),
      atime: SOME_TIME,
      mtime: SOME_TIME,
      ...given,
      ...(content === undefined ? {} : { content }),
    });
    for (let above = posix.dirname(path); !files.has(above); above = posix.dirname(above))
      files.set(above, {
        path: above,
        type: "directory",
        mode: "0755",
        size: 4096,
        atime: SOME_TIME,
        mtime: SOME_TIME,
      });
  }
  return [...files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** What an entry of a case says. Throws `CaseError` for an answer that the fact cannot give. */
export function answerOf(given: GivenFact, fact: NamedFact, args: FactArguments): unknown {
  if (given.empty) return emptyAnswer(fact, args);
  const answer = decode(given.answer ?? null);
  const wrong = misfit(fact, answer);
  if (wrong !== undefined) throw new CaseError(wrong);
  return answer;
}

/** What a function between commands is given: it notes what is done, on a clock that only sleep moves. */
function control(host: ReturnType<typeof fakeHost>, does: string[], reply: () => string): HostControl {
  let clock = 0;
  const note = (...words: readonly unknown[]): void =>
    void does.push(
      words
        .flatMap(word => (word === undefined ? [] : [typeof word === "string" ? word : JSON.stringify(word)]))
        .join(" "),
    );
  return {
    name: host.name,
    groups: host.groups,
    data: host.data,
    getFact: host.getFact,
    async run(command, args) {
      note("run", command.wire(), args && encode(args));
      const stdout = reply();
      const stdoutLines = stdout === "" ? [] : stdout.split("\n");
      return { exitCode: 0, stdout, stderr: "", stdoutLines, stderrLines: [], isCut: false };
    },
    disconnect: async () => note("disconnect"),
    connect: async options => note("connect", options && encode(options)),
    async sleep(seconds) {
      note("sleep", seconds);
      clock += seconds * 1000;
    },
    now: () => clock,
    log: message => note("log", message),
  };
}

/** Arguments, for those who want the call and not what comes of it. */
export const argumentsOf = ({ args = {} }: OperationInput): Readonly<Record<string, unknown>> => {
  const decoded = decode(args);
  if (isList(args) || typeof decoded !== "object" || decoded === null) throw new CaseError("$.args must be an object");
  return decoded as Record<string, unknown>;
};
