/** What the words of a command line ask for. @module */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { editDistance, nearest } from "../core/nearest.ts";
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
  refuseMisspelt(first, cwd, [...WITHOUT_INVENTORY, ...VERBS]);
  if (second !== undefined && !isVerb(second)) refuseMisspelt(second, cwd, VERBS);
  if (second === undefined && rest !== undefined)
    throw new ArgumentError(`There is nothing to run on "${first}"`, {
      hint: `Write tsinfra ${first} exec -- ${rest.length === 0 ? "COMMAND" : rest.join(" ")}`,
    });

  if (await isProgram(first, second, cwd, isModule)) {
    if (others.length > 0 || rest !== undefined) {
      throw new ArgumentError(`Unexpected argument "${others[0] ?? "--"}"`, {
        hint: `Write tsinfra INVENTORY ${first}`,
      });
    }
    if (second === undefined && onlyNamesHosts(resolve(cwd, first))) throw nothingToRun(first);
    return { command: "deploy", inventory: second, files: [first] };
  }
  if (second === undefined) {
    if (isScript(first)) throw new ArgumentError(`There is no file "${first}"`);
    throw nothingToRun(first);
  }
  if (isVerb(second)) return verb(second, first, others, rest);
  if (isScript(second)) {
    const other = others.find(word => !isScript(word)) ?? rest?.[0];
    if (other !== undefined) throw noDeploy(other, cwd);
    return { command: "deploy", inventory: first, files: [second, ...others] };
  }
  const meansFile = second.includes("/") || isFile(resolve(cwd, second)) || nearestScript(second, cwd) !== undefined;
  if (meansFile && !(await isRunnable(second, isModule))) throw noDeploy(second, cwd);
  return { command: "operation", inventory: first, name: second, words: [...others, ...(rest ?? [])] };
}

/** What starts with #! was called as a program: `./deploy.ts [INVENTORY]`. So is another deploy file, unless what follows can be run on it. */
async function isProgram(
  first: string,
  second: string | undefined,
  cwd: string,
  isModule: (name: string) => Promise<boolean>,
): Promise<boolean> {
  const file = resolve(cwd, first);
  if (!isScript(first) || !isFile(file)) return false;
  if (hasShebang(file) || second === undefined) return true;
  if (onlyNamesHosts(file) || (await isRunnable(second, isModule))) return false;
  // An inventory may compute its hosts: what is a slip away from a deploy file would be connected to.
  const isThere = isFile(resolve(cwd, second));
  if (isThere && !(await import("../inventory/file.ts")).FILE_EXTENSIONS.includes(extname(second)))
    throw new ArgumentError(`"${second}" is neither a deploy file nor an inventory`, {
      hint: "Write tsinfra INVENTORY DEPLOY.ts",
    });
  const meant = isThere ? undefined : nearestScript(second, cwd);
  if (meant !== undefined && editDistance(second, meant) === 1)
    throw new ArgumentError(`There is no file "${second}"`, {
      hint: `Did you mean "${meant}"? A host of that name is written with a comma: "${second},"`,
    });
  return true;
}

/** Of a word that stands where deploy files do. */
function noDeploy(word: string, cwd: string): ArgumentError {
  const meant = nearestScript(word, cwd);
  const isMissing = !existsSync(resolve(cwd, word)) && (meant !== undefined || word.includes("/"));
  return new ArgumentError(isMissing ? `There is no file "${word}"` : `"${word}" is no deploy file`, {
    hint: isMissing && meant !== undefined ? `Did you mean "${meant}"?` : "Deploy files end in .ts",
  });
}

/** The script whose name a word leaves the end out of, or misspells; as it is written from here. */
function nearestScript(word: string, cwd: string): string | undefined {
  if (word.startsWith("@") || word.includes(",")) return undefined;
  const name = basename(word);
  const path = word.slice(0, word.length - name.length);
  const names = scriptsIn(resolve(cwd, path));
  const meant =
    names.find(script => script.slice(0, -extname(script).length) === name) ??
    (name.includes(".") ? nearest(name, names) : undefined);
  return meant === undefined ? undefined : `${path}${meant}`;
}

function scriptsIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter(isScript);
  } catch {
    return [];
  }
}

const nothingToRun = (inventory: string): ArgumentError =>
  new ArgumentError(`There is nothing to run on "${inventory}"`, {
    hint: `Write tsinfra ${inventory} DEPLOY.ts, exec -- COMMAND, fact NAME or MODULE.OPERATION`,
  });

/** A word that is one slip away from a command would be taken for a host. */
function refuseMisspelt(word: string, cwd: string, commands: readonly string[]): void {
  if (!/^[a-z-]+$/i.test(word) || existsSync(resolve(cwd, word))) return;
  const meant = commands.find(command => editDistance(word.toLowerCase(), command) === 1);
  if (meant !== undefined)
    throw new ArgumentError(`There is no command "${word}"`, {
      hint: `Did you mean "${meant}"? A host of that name is written with a comma: "${word},"`,
    });
}

/** A file that has hosts to export, and takes nothing of tsinfra but types and the definition of an inventory, deploys nothing. */
function onlyNamesHosts(file: string): boolean {
  const text = readFileSync(file, "utf8");
  if (/^import\s*\{[^}]*\bdefineInventory\b[^}]*\}\s*from\s*["']tsinfra["']/m.test(text)) return true;
  return /^export\s+(?:const|default\s*[[{])/m.test(text) && !/^\s*import\s(?!type\b)|\bimport\(|\bawait\b/m.test(text);
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
