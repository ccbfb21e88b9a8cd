/** What the words of a command line ask for. @module */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import type { CommandLine } from "./parse.ts";
import { ArgumentError } from "./parse.ts";

/** What to do. An absent inventory is the config's. */
export type Route =
  | { readonly command: "init"; readonly words: readonly string[] }
  | { readonly command: "types"; readonly words: readonly string[] }
  | { readonly command: "docs"; readonly words: readonly string[] }
  | { readonly command: "report"; readonly words: readonly string[] }
  | { readonly command: "ssh"; readonly words: readonly string[] }
  | { readonly command: "completions"; readonly words: readonly string[] }
  | { readonly command: "check"; readonly files: readonly string[] }
  | { readonly command: "deploy"; readonly inventory: string | undefined; readonly files: readonly string[] }
  | { readonly command: "exec"; readonly inventory: string | undefined; readonly shell: string }
  | { readonly command: "fact"; readonly inventory: string | undefined; readonly words: readonly string[] }
  | {
      readonly command: "operation";
      readonly inventory: string | undefined;
      readonly name: string;
      readonly words: readonly string[];
    }
  | { readonly command: "debug-inventory"; readonly inventory: string | undefined };

export type CommandName = Route["command"];

/** What stands first and needs no hosts. */
export const WITHOUT_INVENTORY = ["init", "types", "check", "docs", "report", "ssh", "completions"] as const;
/** What follows an inventory. */
export const VERBS = ["exec", "fact", "debug-inventory"] as const;
const SCRIPTS = [".ts", ".mts", ".js", ".mjs"];

/** The verb among the first words, for `--help`. */
export const verbOf = (words: readonly string[]): CommandName | undefined =>
  [...WITHOUT_INVENTORY, ...VERBS].find(verb => verb === words[0]) ?? VERBS.find(verb => verb === words[1]);

/**
 * Decide. Files are relative to `cwd`. `isModule` tells whether a word before a dot is a module of operations; it is asked only when that matters.
 * Throws `ArgumentError` when there is nothing to run.
 */
export async function routeOf(
  { words, rest }: CommandLine,
  cwd: string,
  isModule: (name: string) => Promise<boolean>,
): Promise<Route> {
  const [first, second, ...others] = words;
  if (first === undefined) throw new ArgumentError("There is nothing to do");
  if (first === "init" || first === "types" || first === "docs" || first === "report" || first === "completions")
    return { command: first, words: words.slice(1) };
  // A host may well have this name.
  if (first === "ssh" && second === "explain") return { command: "ssh", words: words.slice(1) };
  if (first === "check") return { command: "check", files: [...words.slice(1), ...(rest ?? [])] };
  if (isVerb(first)) return verb(first, undefined, words.slice(1), rest);

  // What starts with #! was called as a program: ./deploy.ts [INVENTORY].
  if (
    isScript(first) &&
    isFile(resolve(cwd, first)) &&
    (hasShebang(resolve(cwd, first)) || second === undefined || !(await isRunnable(second, isModule)))
  ) {
    if (others.length > 0 || rest !== undefined) {
      throw new ArgumentError(`Unexpected argument "${others[0] ?? "--"}"`, {
        hint: `Write ${first} INVENTORY, or tsinfra INVENTORY ${first}`,
      });
    }
    return { command: "deploy", inventory: second, files: [first] };
  }
  if (second === undefined) {
    if (isScript(first)) throw new ArgumentError(`There is no file "${first}"`);
    throw new ArgumentError(`There is nothing to run on "${first}"`, {
      hint: `Write tsinfra ${first} DEPLOY.ts, exec -- COMMAND, fact NAME or MODULE.OPERATION`,
    });
  }
  if (isVerb(second)) return verb(second, first, others, rest);
  if (isScript(second)) {
    const other = others.find(word => !isScript(word)) ?? rest?.[0];
    if (other !== undefined)
      throw new ArgumentError(`"${other}" is no deploy file`, { hint: "Deploy files end in .ts" });
    return { command: "deploy", inventory: first, files: [second, ...others] };
  }
  return { command: "operation", inventory: first, name: second, words: [...others, ...(rest ?? [])] };
}

function verb(
  name: (typeof VERBS)[number],
  inventory: string | undefined,
  words: readonly string[],
  rest: readonly string[] | undefined,
): Route {
  if (name === "exec") {
    const shell = [...words, ...(rest ?? [])].join(" ");
    if (shell.trim() === "") throw new ArgumentError("There is no command to run", { hint: "Write exec -- COMMAND" });
    return { command: "exec", inventory, shell };
  }
  const all = [...words, ...(rest ?? [])];
  if (name === "fact") {
    if (all.length === 0)
      throw new ArgumentError("There is no fact to ask for", {
        hint: "Write fact server.Hostname, or fact files.File path=/etc/hosts",
      });
    return { command: "fact", inventory, words: all };
  }
  if (all.length > 0)
    throw new ArgumentError(`Unexpected argument "${all[0]}"`, { hint: "debug-inventory takes options only" });
  return { command: "debug-inventory", inventory };
}

/** Whether a word can follow an inventory. */
async function isRunnable(word: string, isModule: (name: string) => Promise<boolean>): Promise<boolean> {
  if (isVerb(word) || isScript(word)) return true;
  const [, module] = /^([a-z]\w*)(?:\.\w+)*\.[A-Za-z]\w*$/.exec(word) ?? [];
  return module !== undefined && isModule(module);
}

const isVerb = (word: string): word is (typeof VERBS)[number] => (VERBS as readonly string[]).includes(word);
const isScript = (word: string): boolean =>
  SCRIPTS.includes(extname(word)) && !word.startsWith("@") && !word.includes(",");
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function hasShebang(file: string): boolean {
  try {
    const descriptor = openSync(file, "r");
    try {
      const start = Buffer.alloc(2);
      return readSync(descriptor, start) === 2 && start.toString("latin1") === "#!";
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}
