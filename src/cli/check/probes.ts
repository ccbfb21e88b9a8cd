/**
 * Questions to the compiler about the types of expressions.
 *
 * The compiler that is part of the executable tells mistakes and nothing else. So a copy of each file is made in which the expressions
 * of interest go through functions (`probe(17, expression, 0)`) that return what they are given, and whose last argument is wrong
 * where the expression is: the compiler says which by the name of a type, `"17 promise"`. Everything else keeps its type and its line.
 * @module
 */
import { computedHosts } from "./inventory-places.ts";
import { inserted, type Insertion } from "./insertions.ts";
import { type Module, moduleOf } from "./literals.ts";
import { answersIn, comparedIn, isPlain, type ListCall, listCallOf, type Meaning, placesIn, truths } from "./places.ts";
import type { InventoryFile } from "./plan.ts";
import type { Source } from "./sources.ts";
import { bare, callOf, isFunction, memberName, type Node, outwards, spanOf, type Branch } from "./syntax.ts";
import { isForPeople, isString, isText, jsonOf } from "./texts.ts";
import {
  droppedIn,
  droppedQuestion,
  isInCall,
  isPreparing,
  isResult,
  keptIn,
  namesIn,
  takenResult,
  unawaited,
} from "./usage.ts";

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
  /** A value is meant: see `places.ts`. */
  | Meaning
  /** One side of a comparison. */
  | "compared"
  /** A list, and an async function given to it for answers. */
  | "asked"
  /** The answer of a function given to a list. */
  | "answer"
  /** An operation, of which something is read before it has run. */
  | "early"
  /** It is given a name of which only members are used. */
  | "deploy"
  /** Hosts, or a group of them. */
  | "hosts"
  | "text";

/** One question. */
export interface Probe {
  readonly id: number;
  readonly standing: Standing;
  readonly source: Source;
  readonly node: Node;
  /** What it stands in. */
  readonly within: Branch | undefined;
  /** What is missing may be said: people read this text, nothing on a host depends on it, or it was asked for. */
  readonly mayMiss: boolean;
  /** The question without which this one means nothing. */
  readonly given?: number;
  /** Where it is told, if not at the node. */
  readonly told?: Node;
}

/** A file with its questions in it. */
export interface ProbedSource {
  readonly source: Source;
  readonly text: string;
}

/**
 * Which questions go together. A call that is a statement narrows types (`assert(x)`) only as it stands, and so does a
 * condition, so what is asked about either is asked in a copy of its own.
 */
export type Round = "text" | "promises" | "values";
export const ROUNDS: readonly Round[] = ["text", "promises", "values"];

/** What is asked about. */
export interface Asked {
  readonly sources: readonly Source[];
  readonly round: Round;
  /** Keys of host data that every host has. */
  readonly given: ReadonlySet<string>;
  readonly inventories: readonly InventoryFile[];
}

/** All files of a program with the questions of one round in them, numbered through. */
export function probed(asked: Asked): {
  readonly files: readonly ProbedSource[];
  readonly probes: readonly Probe[];
} {
  const probes: Probe[] = [];
  const files = asked.sources.map(source => ({
    source,
    text: inserted(source.text, new Prober(source, probes, asked).insertions()),
  }));
  return { files, probes };
}

interface More {
  readonly given?: number;
  readonly told?: Node;
  /** Through which function it goes, if not that of its standing. */
  readonly function?: string;
  /** What the function is given before it. */
  readonly before?: string;
  /** Another expression, to be asked about in its place. */
  readonly asked?: Node;
}

class Prober {
  readonly #insertions: Insertion[] = [];
  readonly #source: Source;
  readonly #probes: Probe[];
  readonly #round: Round;
  readonly #given: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<Node>;
  readonly #module: Module;
  readonly #names: ReadonlyMap<string, readonly Branch[]>;
  /** It may be evaluated while operations run. */
  readonly #isLate: boolean;
  /** The values that were asked about: what stands in a condition may stand in one within that. */
  readonly #valued = new Set<Node>();
  /** The same of what is dropped: all of a list of expressions, or all but the last. */
  readonly #dropped = new Set<Node>();
  /** `await` of which nobody takes what it gives. */
  readonly #idle = new Set<Node>();

  constructor(source: Source, probes: Probe[], { round, given, inventories }: Asked) {
    this.#source = source;
    this.#probes = probes;
    this.#round = round;
    this.#given = given;
    this.#hosts = new Set(
      inventories.flatMap(one => (one.file === source.file ? [...computedHosts(source, one)] : [])),
    );
    this.#module = moduleOf(source.program);
    this.#names = namesIn(source.branches);
    this.#isLate = source.isIncludedLate || source.text.includes("isExecuting");
  }

  insertions(): readonly Insertion[] {
    for (const { node, parent: within } of this.#source.branches) {
      if (this.#round === "text") this.#text(node, within);
      else if (this.#round === "values") this.#values(node, within);
      else this.#promises(node, within);
      this.#untyped(node);
      if (node.type === "VariableDeclarator" && node.init) this.#datum(node.init);
    }
    return this.#insertions;
  }

  #promises(node: Node, within: Branch | undefined): void {
    for (const value of droppedIn(node)) {
      if (this.#dropped.has(value)) continue;
      this.#dropped.add(value);
      // `await` takes what it stands before, and drops it.
      if (value.type === "AwaitExpression") this.#idle.add(value);
      else this.#ask("statement", value, within, { function: droppedQuestion(value, within, this.#module) });
    }
    if (node.type === "AwaitExpression") {
      const isName = this.#idle.has(node) && /^(?:Identifier|MemberExpression)$/.test(node.argument.type);
      this.#ask("awaited", node.argument, within, isName ? { function: "__tsinfraAwaitedName" } : {});
    }
    this.#kept({ node, parent: within });
    this.#takenApart({ node, parent: within });
    this.#forEach(node, within);
  }

  /** What is named, and given to nobody. */
  #kept(declaration: Branch): void {
    const kept = keptIn(declaration, this.#names);
    if (!kept) return;
    const { value, reads } = kept;
    const early = unawaited(kept, declaration, this.#source.branches);
    if (early) this.#ask("early", value, declaration, { told: early.node });
    else if (reads.every(({ node }) => SIZES.has(memberName(node) ?? "")))
      this.#ask(
        "unused",
        value,
        declaration.parent,
        value.type === "NewExpression" ? { function: "__tsinfraMade" } : {},
      );
    else this.#ask("deploy", value, declaration.parent);
  }

  /** An operation of which results are taken before it has run. */
  #takenApart(branch: Branch): void {
    const taken = takenResult(branch);
    if (!taken) return;
    const { value, result: told } = taken;
    if (isPreparing(branch) && !this.#isLate) this.#ask("early", value, branch.parent, { told });
    else if (callOf(bare(value)) && isInCall(branch)) this.#ask("early", value, branch, { told });
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

  #values(node: Node, parent: Branch | undefined): void {
    const within = { node, parent };
    if (this.#hosts.has(node)) this.#ask("hosts", node, parent);
    const list = listCallOf(node);
    if (list) this.#answers(list, within);
    if ("object" in node && isResult(within) && isPreparing(within) && !this.#isLate)
      this.#ask("early", node.object as Node, within, { told: node });
    for (const { node: value, meaning } of placesIn(node)) this.#askValue(meaning, value, within);
    const compared = comparedIn(node);
    if (!compared || compared.some(side => this.#valued.has(side))) return;
    const [left, right] = compared.map(side => (isPlain(side) ? undefined : side));
    // What is seen to be no promise need not be asked about; of others each needs the other's answer.
    const first = this.#probes.length;
    if (left) this.#askCompared(left, within, right ? { given: first + 1 } : {});
    if (right) this.#askCompared(right, within, left ? { given: first } : {});
  }

  #askCompared(node: Node, within: Branch, more: { readonly given?: number }): void {
    const isNamed = node.type === "Identifier" || "object" in node;
    // The compiler tells of a comparison where it begins; of what was declared to be of another type it tells nothing.
    const isCast = "left" in within.node && node !== within.node.left && node !== within.node.right;
    this.#ask("compared", node, within, {
      ...more,
      ...(isCast ? {} : { told: within.node }),
      function: `__tsinfraCompared${isNamed ? "Name" : ""}`,
    });
  }

  /** Functions given to a list for answers: of the answers it waits for none. */
  #answers({ list, callback, name }: ListCall, within: Branch): void {
    if (isFunction(callback) && callback.async) this.#ask("asked", list, within, { told: callback });
    else if (isFunction(callback)) {
      const given = this.#ask("asked", list, within, { told: callback });
      for (const answer of answersIn(this.#source.branches, callback))
        for (const { node } of name.endsWith("ort") ? [answer] : truths(answer.node))
          this.#askValue("answer", node, answer.parent, given);
    } else if (callback.type === "Identifier" && callback.name === "Boolean")
      this.#ask("answer", list, within, { told: callback, function: "__tsinfraItems" });
    else {
      const given = this.#ask("asked", list, within, { told: callback });
      this.#ask("answer", callback, within, { given, told: callback, function: "__tsinfraAnswer" });
    }
  }

  #askValue(standing: Standing, node: Node, within: Branch | undefined, given?: number): void {
    if (this.#valued.has(node)) return;
    this.#valued.add(node);
    const { callee } = callOf(node) ?? {};
    const isMaybe = node.type === "OptionalCallExpression" && callee && isRepeatable(callee, this.#textOf(callee));
    if (isMaybe && (standing === "truth" || standing === "answer"))
      // What may be missing here is what it is asked of, not the promise.
      this.#ask(standing, node, within, {
        ...(given === undefined ? {} : { given }),
        function: "__tsinfraAnswer",
        asked: callee,
      });
    else this.#ask(standing, node, within, given === undefined ? {} : { given });
  }

  #textOf(node: Node): string {
    return this.#source.text.slice(...spanOf(node));
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
    const json = jsonOf(value);
    this.#ask("text", json ?? value, within, json ? { function: "__tsinfraJson" } : {});
    this.#datum(json ?? value);
  }

  #ask(standing: Standing, node: Node, within: Branch | undefined, more: More = {}): number {
    const id = this.#probes.length;
    const { given, told } = more;
    this.#probes.push({
      id,
      standing,
      source: this.#source,
      node,
      within,
      mayMiss: outwards(within).some(isForPeople) || (within !== undefined && isString(within.node)),
      ...(given === undefined ? {} : { given }),
      ...(told === undefined ? {} : { told }),
    });
    const name = more.function ?? FUNCTIONS[standing];
    const asked = more.asked ?? node;
    const text = this.#textOf(asked);
    // What narrows a type does so only as it stands, so what can be said twice stays.
    if (this.#round === "values" && (asked !== node || isRepeatable(node, text)))
      this.#wrap(node, `(${name}(${id}, (${text}), 0), `, ")");
    else this.#wrap(node, `${name}(${id}, ${more.before ?? ""}`, ", 0)");
    return id;
  }

  /** `host.data.key` may be missing where the compiler knows nothing of it. */
  #datum(expression: Node): void {
    const node = bare(expression);
    if (node !== expression || (node.type !== "MemberExpression" && node.type !== "OptionalMemberExpression")) return;
    const isWhole = memberName(node) === "data";
    const data = isWhole ? node : bare(node.object);
    if (memberName(data) !== "data" || !("object" in data)) return;
    const host = this.#textOf(data.object as Node);
    if (host.includes("\n")) return;
    const kind = isWhole ? "Data" : this.#given.has(memberName(node) ?? "") ? "Present" : "Datum";
    this.#wrap(node, `__tsinfra${kind}(${host}, `, ")");
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

/** A name, a member of one, or a call of these with nothing but such. */
const isRepeatable = (node: Node, text: string): boolean =>
  ["Identifier", "MemberExpression", "OptionalMemberExpression", "CallExpression"].includes(node.type) &&
  /^[\w$.?![\]'"#]+(?:\([\w$.\s,?!'"]*\))?$/.test(text) &&
  !text.includes("getFact(");

const SIZES: ReadonlySet<string> = new Set(["length", "size"]);

const FUNCTIONS: Readonly<Record<Standing, string>> = {
  statement: "__tsinfraPromise",
  unused: "__tsinfraPromise",
  awaited: "__tsinfraAwaited",
  each: "__tsinfraEach",
  eachResult: "__tsinfraPromise",
  truth: "__tsinfraTruth",
  presence: "__tsinfraPresence",
  content: "__tsinfraContent",
  depth: "__tsinfraDepth",
  compared: "__tsinfraCompared",
  asked: "__tsinfraList",
  answer: "__tsinfraTruth",
  early: "__tsinfraEnded",
  deploy: "__tsinfraDeploy",
  hosts: "__tsinfraHosts",
  text: "__tsinfraText",
};
