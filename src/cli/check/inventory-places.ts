/** Hosts and groups of which only the compiler knows whether they are promises. @module */
import { COMPUTED, membersOf, moduleOf, returned, written } from "./literals.ts";
import type { InventoryFile } from "./plan.ts";
import type { Source } from "./sources.ts";
import { standIn } from "./stand-ins.ts";
import { isFunction, type Node } from "./syntax.ts";

/** The expressions in an inventory that stand where hosts, lists of them or groups are meant, and that are computed. */
export function computedHosts({ program }: Source, { function: used }: InventoryFile): ReadonlySet<Node> {
  const module = moduleOf(program);
  const found = new Set<Node>();
  const computed = (node: Node): void => {
    const value = written(node, module);
    if (standIn(value, module) === COMPUTED && !/^(?:Array|Object)Expression$/.test(value.type)) found.add(value);
  };
  const hosts = (node: Node): void => {
    const list = written(node, module);
    if (list.type !== "ArrayExpression") return computed(list);
    for (const item of list.elements) {
      if (item === null) continue;
      if (item.type === "SpreadElement") {
        const more = written(item.argument, module);
        if (more.type === "ArrayExpression") hosts(more);
        else found.add(more);
        continue;
      }
      const host = written(item, module);
      for (const part of host.type === "ArrayExpression" ? host.elements : [host])
        if (part && part.type !== "SpreadElement") computed(part);
    }
  };
  const group = (node: Node): void => {
    const value = written(node, module);
    if (value.type !== "ObjectExpression") return hosts(value);
    for (const { key, value: member } of membersOf(value, module) ?? [])
      if (key === "hosts") hosts(member);
      else computed(member);
  };
  const entries = (node: Node): void => {
    const value = written(node, module);
    if (value.type !== "ObjectExpression") return hosts(value);
    for (const { value: member } of membersOf(value, module) ?? []) group(member);
  };
  for (const { name, value } of module.exports) {
    if (used === undefined ? name.startsWith("_") : name !== used) continue;
    const exported = written(value, module);
    const isCalled = used !== undefined || name === "default";
    if (isFunction(exported)) for (const result of isCalled ? returned(exported) : []) entries(result);
    else if (name === "default") entries(exported);
    else if (used === undefined) group(exported);
  }
  return found;
}
