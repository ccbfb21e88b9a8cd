/**
 * Questions to the compiler about the types of expressions.
 *
 * The compiler that is part of the executable tells mistakes and nothing else. So a copy of each file is made in which the expressions
 * of interest go through functions (`probe(17, expression, 0)`) that return what they are given, and whose last argument is wrong
 * where the expression is: the compiler says which by the name of a type, `"17 promise"`. Everything else keeps its type and its line.
 * @module
 */
import type { Source } from "./sources.ts";
import {
  bare,
  callOf,
  type FunctionNode,
  isFunction,
  memberName,
  type Node,
  outwards,
  spanOf,
  type Branch,
} from "./syntax.ts";

/** Where a value stands that is asked about. */
export type Standing =
  /** Nobody takes it. */
  | "statement"
  /** It is given a name that nobody uses. */
  | "unused"
  /** `await` stands before it. */
  | "awaited"
  /** A call of `forEach`. */
  | "each"
  /** What the function given to `forEach` returns. */
  | "eachResult"
  | "text";

/** What the compiler may answer. */
export type Fault = "promise" | "promises" | "handle" | "function" | "missing" | "null" | "nothing";

/** One question. */
export interface Probe {
  readonly id: number;
  readonly standing: Standing;
  readonly source: Source;
  readonly node: Node;
  /** The function around it; `undefined` at the top of a file. */
  readonly owner: FunctionNode | undefined;
  /** What is missing may be said: people read this text, nothing on a host depends on it, or it was asked for. */
  readonly mayMiss: boolean;
  /** The question without which this one means nothing. */
  readonly given?: number;
}

/** What becomes of the text at an offset. */
interface Insertion {
  readonly offset: number;
  readonly text: string;
  readonly isEnd: boolean;
}

/** A file with its questions in it. */
export interface ProbedSource {
  readonly source: Source;
  readonly text: string;
}

/**
 * Which questions go together. A call that is a statement narrows types (`assert(x)`) only as it stands,
 * so what is asked about statements is asked in a copy of its own.
 */
export type Round = "text" | "promises";

/** All files of a program with the questions of one round in them, numbered through. */
export function probed(
  sources: readonly Source[],
  round: Round,
): { readonly files: readonly ProbedSource[]; readonly probes: readonly Probe[] } {
  const probes: Probe[] = [];
  const files = sources.map(source => ({
    source,
    text: inserted(source.text, new Prober(source, probes, round).insertions()),
  }));
  return { files, probes };
}

/** Ends come before starts, inner ends before outer ones; starts in the order in which they were found, outer ones first. */
function inserted(text: string, insertions: readonly Insertion[]): string {
  const sorted = insertions
    .map((insertion, order) => ({ ...insertion, order: insertion.isEnd ? -1e9 - order : order }))
    .sort((a, b) => a.offset - b.offset || a.order - b.order);
  let at = 0;
  const parts = sorted.map(({ offset, text: added }) => {
    const part = text.slice(at, offset) + added;
    at = offset;
    return part;
  });
  return parts.join("") + text.slice(at);
}

class Prober {
  readonly #insertions: Insertion[] = [];
  readonly #source: Source;
  readonly #probes: Probe[];
  readonly #round: Round;
  /** How often each name is written. */
  readonly #names: ReadonlyMap<string, number>;

  constructor(source: Source, probes: Probe[], round: Round) {
    this.#source = source;
    this.#probes = probes;
    this.#round = round;
    const names = new Map<string, number>();
    for (const { node } of source.branches)
      if (node.type === "Identifier") names.set(node.name, (names.get(node.name) ?? 0) + 1);
    this.#names = names;
  }

  insertions(): readonly Insertion[] {
    for (const { node, parent: within } of this.#source.branches) {
      if (this.#round === "text") this.#text(node, within);
      else this.#promises(node, within);
      this.#untyped(node);
      if (node.type === "VariableDeclarator" && node.init) this.#datum(node.init);
    }
    return this.#insertions;
  }

  #promises(node: Node, within: Branch | undefined): void {
    if (node.type === "ExpressionStatement") {
      for (const value of dropped(node.expression)) this.#ask("statement", value, within);
    } else if (node.type === "AwaitExpression") this.#ask("awaited", node.argument, within);
    else if (
      node.type === "VariableDeclarator" &&
      node.init &&
      node.id.type === "Identifier" &&
      this.#names.get(node.id.name) === 1 &&
      !isTakenElsewhere(within)
    ) {
      this.#ask("unused", node.init, within);
    }
    this.#forEach(node, within);
  }

  /** It waits for nothing, so what the function given to it returns is dropped. */
  #forEach(node: Node, within: Branch | undefined): void {
    const call = callOf(node);
    const [callback] = call?.given ?? [];
    if (!call || !callback || memberName(call.callee) !== "forEach") return;
    // An async function says itself that it returns a promise; of others the compiler must tell.
    if (isFunction(callback) && callback.async) this.#ask("each", node, within);
    else if (callback.type === "ArrowFunctionExpression" && callback.body.type !== "BlockStatement") {
      const given = this.#ask("each", node, within);
      this.#ask("eachResult", callback.body, { node: callback, parent: { node, parent: within } }, { given });
    } else if (callback.type === "Identifier") {
      const given = this.#ask("each", node, within);
      this.#ask("eachResult", callback, within, { given, function: "__tsinfraResult" });
    }
  }

  #text(node: Node, within: Branch | undefined): void {
    // A tag says itself what it takes; that of JavaScript's own takes everything.
    const tag = within?.node.type === "TaggedTemplateExpression" ? memberName(within.node.tag) : "raw";
    if (node.type === "TemplateLiteral" && tag === "raw") {
      for (const value of node.expressions) this.#askText(value, within);
    } else if (node.type === "BinaryExpression" && node.operator === "+") {
      for (const [value, other] of [
        [node.left, node.right],
        [node.right, node.left],
      ] as const)
        if (isText(other) && !isText(value)) this.#askText(value, within);
    } else if (node.type === "AssignmentExpression" && node.operator === "+=") {
      const target = this.#source.text.slice(...spanOf(node.left));
      if (/^[\w$.]+$/.test(target) && !isText(node.right))
        this.#ask("text", node.right, within, { function: "__tsinfraAdded", before: `${target}, ` });
    } else {
      const call = callOf(node);
      const [value] = call?.given ?? [];
      if (call && "object" in call.callee && memberName(call.callee) === "join")
        this.#ask("text", call.callee.object as Node, within, { function: "__tsinfraAwaited" });
      if (value && value.type !== "SpreadElement" && isString(node)) this.#askText(value, { node, parent: within });
    }
  }

  #askText(value: Node, within: Branch | undefined): void {
    this.#ask("text", value, within);
    this.#datum(value);
  }

  #ask(
    standing: Standing,
    node: Node,
    within: Branch | undefined,
    more: { readonly given?: number; readonly function?: string; readonly before?: string } = {},
  ): number {
    const id = this.#probes.length;
    this.#probes.push({
      id,
      standing,
      source: this.#source,
      node,
      owner: outwards(within).find(isFunction),
      mayMiss: outwards(within).some(isForPeople) || (within !== undefined && isString(within.node)),
      ...(more.given === undefined ? {} : { given: more.given }),
    });
    this.#wrap(node, `${more.function ?? FUNCTIONS[standing]}(${id}, ${more.before ?? ""}`, ", 0)");
    return id;
  }

  /** `host.data.key` may be missing where the compiler knows nothing of it. */
  #datum(expression: Node): void {
    const node = bare(expression);
    if (node !== expression || (node.type !== "MemberExpression" && node.type !== "OptionalMemberExpression")) return;
    const isWhole = memberName(node) === "data";
    const data = isWhole ? node : bare(node.object);
    if (memberName(data) !== "data" || !("object" in data)) return;
    const host = this.#source.text.slice(...spanOf(data.object as Node));
    if (!host.includes("\n")) this.#wrap(node, `__tsinfra${isWhole ? "Data" : "Datum"}(${host}, `, ")");
  }

  /** A fact that is asked of something without a type is a promise all the same. */
  #untyped(node: Node): void {
    if (node.type === "CallExpression" && memberName(node.callee) === "getFact")
      this.#wrap(node, "__tsinfraFact(", ")");
  }

  #wrap(node: Node, before: string, after: string): void {
    const [start, end] = spanOf(node);
    this.#insertions.push({ offset: start, text: `${before}(`, isEnd: false });
    this.#insertions.push({ offset: end, text: `)${after}`, isEnd: true });
  }
}

/** The values that a statement makes and nobody takes. */
function dropped(expression: Node): readonly Node[] {
  const node = bare(expression);
  switch (node.type) {
    case "LogicalExpression":
      return dropped(node.right);
    case "ConditionalExpression":
      return [...dropped(node.consequent), ...dropped(node.alternate)];
    case "SequenceExpression":
      return node.expressions.flatMap(dropped);
    case "CallExpression":
    case "OptionalCallExpression":
      return isHandled(node) ? [] : [node];
    case "Identifier":
    case "MemberExpression":
    case "OptionalMemberExpression":
    case "NewExpression":
    case "ArrayExpression":
    case "ImportExpression":
    case "TaggedTemplateExpression":
      return [node];
    default:
      return [];
  }
}

/** An export, or `using`, for which it is enough that the variable is there. */
const isTakenElsewhere = (declaration: Branch | undefined): boolean =>
  declaration?.parent?.node.type === "ExportNamedDeclaration" ||
  (declaration?.node.type === "VariableDeclaration" && /using/.test(declaration.node.kind));

/** `p.catch(f)`, `p.then(f, g)`, and either with `finally` behind. */
function isHandled(node: Node): boolean {
  const call = callOf(node);
  if (!call || !("object" in call.callee)) return false;
  const name = memberName(call.callee);
  if (name === "finally") return isHandled(call.callee.object as Node);
  return (name === "catch" && call.given.length > 0) || (name === "then" && call.given.length > 1);
}

function isText(expression: Node): boolean {
  const node = bare(expression);
  return (
    node.type === "StringLiteral" ||
    node.type === "TemplateLiteral" ||
    (node.type === "BinaryExpression" && node.operator === "+" && (isText(node.left) || isText(node.right)))
  );
}

/** `String(value)`. */
function isString(node: Node): boolean {
  const callee = callOf(node)?.callee;
  return callee?.type === "Identifier" && callee.name === "String";
}

/** A message of the user's own: an error, or a line of a log. */
function isForPeople(node: Node): boolean {
  if (node.type === "NewExpression") return node.callee.type === "Identifier" && node.callee.name.endsWith("Error");
  const callee = callOf(node)?.callee;
  if (!callee || !("object" in callee)) return false;
  const name = memberName(callee);
  return name !== undefined && ["log", "debug", "info", "warn", "error", "noop"].includes(name);
}

const FUNCTIONS: Readonly<Record<Standing, string>> = {
  statement: "__tsinfraPromise",
  unused: "__tsinfraPromise",
  awaited: "__tsinfraAwaited",
  each: "__tsinfraEach",
  eachResult: "__tsinfraPromise",
  text: "__tsinfraText",
};

/** What the compiler must know of the functions. A type that it does not know, `any`, has no fault. */
export const DECLARATIONS = `
type __TsinfraIsAny<T> = 0 extends 1 & T ? true : false;
type __TsinfraNeedNotWait = { didChange(): boolean; stdout: string } | { didChange(): boolean; value: unknown };
type __TsinfraPromiseOf<T> = T extends Promise<any> ? T : T extends __TsinfraNeedNotWait ? never : T extends PromiseLike<any> ? T : never;
type __TsinfraPromisesOf<T> = T extends readonly (infer E)[] ? (__TsinfraIsAny<E> extends true ? never : __TsinfraPromiseOf<E>) : never;
type __TsinfraHandleOf<T> = T extends { didChange(): boolean } ? T : never;
type __TsinfraFunctionOf<T> = T extends (...given: any) => any ? T : never;
type __TsinfraHas<T> = [T] extends [never] ? false : true;
type __TsinfraAwaitedFault<I extends number, T> = __TsinfraIsAny<T> extends true
  ? number
  : __TsinfraHas<__TsinfraPromisesOf<T>> extends true ? \`\${I} promises\` : number;
type __TsinfraPromiseFault<I extends number, T> = __TsinfraIsAny<T> extends true
  ? number
  : __TsinfraHas<__TsinfraPromiseOf<T>> extends true ? \`\${I} promise\` : __TsinfraAwaitedFault<I, T>;
type __TsinfraTextFault<I extends number, T> = __TsinfraIsAny<T> extends true
  ? number
  : __TsinfraHas<__TsinfraHandleOf<T>> extends true
  ? \`\${I} handle\`
  : __TsinfraHas<__TsinfraPromiseOf<T>> extends true
  ? \`\${I} promise\`
  : __TsinfraHas<__TsinfraPromisesOf<T>> extends true
  ? \`\${I} promises\`
  : __TsinfraHas<__TsinfraFunctionOf<T>> extends true
  ? \`\${I} function\`
  : unknown extends T
  ? number
  : undefined extends T
  ? \`\${I} missing\`
  : null extends T ? \`\${I} null\` : number;
declare function __tsinfraPromise<I extends number, T>(id: I, value: T, fault: __TsinfraPromiseFault<I, T>): T;
declare function __tsinfraAwaited<I extends number, T>(id: I, value: T, fault: __TsinfraAwaitedFault<I, T>): T;
declare function __tsinfraEach<I extends number, T>(
  id: I,
  value: T,
  fault: __TsinfraIsAny<T> extends true ? number : [T] extends [never] ? number : [T] extends [void] ? \`\${I} nothing\` : number,
): T;
declare function __tsinfraResult<I extends number, T>(
  id: I,
  value: T,
  fault: __TsinfraIsAny<T> extends true ? number : T extends (...given: any) => infer R ? __TsinfraPromiseFault<I, R> : number,
): T;
declare function __tsinfraText<I extends number, T>(id: I, value: T, fault: __TsinfraTextFault<I, T>): T;
declare function __tsinfraAdded<I extends number, S, T>(
  id: I,
  target: S,
  value: T,
  fault: __TsinfraIsAny<S> extends true ? number : [S] extends [string] ? __TsinfraTextFault<I, T> : number,
): T;
type __TsinfraHost = { readonly groups: readonly string[]; readonly data: object };
type __TsinfraDatum<T> = __TsinfraIsAny<T> extends true ? T : unknown extends T ? {} | undefined : Exclude<T, null>;
declare function __tsinfraDatum<H, T>(host: H, value: T): __TsinfraIsAny<H> extends true ? T : H extends __TsinfraHost ? __TsinfraDatum<T> : T;
declare function __tsinfraData<H, T>(
  host: H,
  value: T,
): __TsinfraIsAny<H> extends true ? T : H extends __TsinfraHost ? { [K in keyof T]: __TsinfraDatum<T[K]> } : T;
declare function __tsinfraFact<T>(value: T): __TsinfraIsAny<T> extends true ? Promise<any> : T;
`;
