/** Values of the kind that an expression has, found without running it. @module */
import { COMPUTED, literalOf, type Module, written } from "./literals.ts";
import { bare, callOf, type FunctionNode, isFunction, memberName, type Node } from "./syntax.ts";

/** What is written down, or something of the same kind; `COMPUTED` where only running the program tells. */
export function standIn(node: Node, module: Module): unknown {
  const found = written(node, module);
  // What a getter gives is the member's value.
  if (found.type === "ObjectMethod" && found.kind !== "method") return COMPUTED;
  if (isFunction(found)) return functionLike(found);
  if (found.type === "ClassDeclaration" || found.type === "ClassExpression") return class {};
  if (found.type === "NewExpression" && found.callee.type === "Identifier") {
    if (found.callee.name === "Set") return new Set();
    if (found.callee.name === "Map") return new Map();
  }
  if (isPromise(found, module)) return Promise.resolve();
  const called = calledFunction(found, module);
  if (called && isFunction(called) && called.generator) return functionLike(called)();
  return literalOf(found, module);
}

function functionLike({ async, generator }: FunctionNode): () => unknown {
  if (generator) return async ? async function* () {} : function* () {};
  return async ? async () => {} : () => {};
}

/** The function of the file's own that is called. */
function calledFunction(node: Node, module: Module): Node | undefined {
  const call = callOf(node);
  return call && written(bare(call.callee), module);
}

/** A call of an async function of this file, or what `Promise` makes. */
function isPromise(node: Node, module: Module): boolean {
  if (node.type === "NewExpression") return isCalled(node.callee, "Promise");
  const call = callOf(node);
  if (!call) return node.type === "ImportExpression";
  const called = calledFunction(node, module);
  if (called && isFunction(called)) return called.async === true && called.generator !== true;
  const { callee } = call;
  if (callee.type === "Import") return true;
  if (callee.type !== "MemberExpression") return false;
  return isCalled(callee.object, "Promise")
    ? memberName(callee) !== "withResolvers"
    : /^(?:then|catch|finally)$/.test(memberName(callee) ?? "") && isPromise(written(callee.object, module), module);
}

const isCalled = (node: Node, name: string): boolean => node.type === "Identifier" && node.name === name;
