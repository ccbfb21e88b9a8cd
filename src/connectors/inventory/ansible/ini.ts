/** Ansible inventories as INI files. @module */
import { InventoryError } from "../../../core/errors.ts";
import type { Data } from "../finder.ts";
import { type AnsibleInventory, expandRanges } from "./model.ts";
import { pythonLiteral } from "./python.ts";

/** Throws `InventoryError` with the line of the mistake. */
export function readIni(text: string, file: string, inventory: AnsibleInventory): void {
  let section: { readonly group: string | undefined; readonly kind: string } = { group: undefined, kind: "hosts" };
  for (const [index, written] of text.split("\n").entries()) {
    const line = written.trim();
    if (line === "" || /^[#;]/.test(line)) continue;
    const at = { file, line: index + 1, column: 1 };
    const fail = (message: string): never => {
      throw new InventoryError(message, { at });
    };
    if (line.startsWith("[")) {
      const [, group = "", kind = "hosts"] =
        /^\[([^\]:]+)(?::(\w+))?\]\s*(?:[#;].*)?$/.exec(line) ??
        fail(`Section "${line}" is not [group], [group:vars] or [group:children]`);
      if (!["hosts", "vars", "children"].includes(kind)) fail(`Section "${line}" is neither hosts, vars nor children`);
      inventory.group(group);
      section = { group, kind };
      continue;
    }
    const { group, kind } = section;
    if (kind === "vars" && group !== undefined) {
      const [, name = "", value = ""] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? fail(`Line "${line}" is not name=value`);
      inventory.addVariables(group, { [name]: pythonLiteral(value) });
    } else if (kind === "children" && group !== undefined) {
      const child = line.replace(/\s+[#;].*$/, "");
      inventory.addChild(group, child, () => at);
    } else {
      const [pattern = "", ...words] = splitWords(line) ?? fail(`Line "${line}" has a quote that is not closed`);
      const { names, port } = hostNames(pattern);
      const variables: Data = Object.fromEntries(
        words.map(word => {
          const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(word) ?? fail(`Word "${word}" is not name=value`);
          return [name, pythonLiteral(value)];
        }),
      );
      for (const name of names)
        inventory.addHost(name, group, { ...(port === undefined ? {} : { ansible_port: port }), ...variables });
    }
  }
}

/** `web[1:3]:2222` is three hosts and a port. */
export function hostNames(pattern: string): { readonly names: readonly string[]; readonly port: number | undefined } {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F:.]*::?[0-9a-fA-F:.]*)\]|((?:[^:[]|\[[^\]]*\])+))(?::(\d+))?$/.exec(pattern) ?? [];
  if (bracketed !== undefined && /:.*:/.test(bracketed))
    return { names: [bracketed], port: port === undefined ? undefined : Number(port) };
  if (plain !== undefined) return { names: expandRanges(plain), port: port === undefined ? undefined : Number(port) };
  return { names: expandRanges(pattern), port: undefined };
}

/** Words as a shell has them; nothing where a quote stays open. */
function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line[at] as string;
    if (quote !== "") {
      if (char === quote) quote = "";
      else if (char === "\\" && quote === '"' && /["\\]/.test(line[at + 1] ?? "")) word = (word ?? "") + line[++at];
      else word = (word ?? "") + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "#" && word === undefined) break;
    else if (char === "\\") word = (word ?? "") + (line[++at] ?? "");
    else word = (word ?? "") + char;
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}
