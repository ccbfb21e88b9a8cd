/** The compiler that is part of the executable. @module */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { type CallSite, LocalFileError } from "../../core/errors.ts";
import { compilerOptions, writeTypes } from "../types-archive.ts";
import { runChild } from "../child.ts";

/** A mistake that the compiler found. */
export interface Mistake {
  readonly at: CallSite;
  /** `TS1234`. */
  readonly code: string;
  readonly message: string;
}

/** What the compiler made of a program. */
export interface Compilation {
  readonly mistakes: readonly Mistake[];
  /** What it said beside mistakes, if it failed. */
  readonly output?: string;
}

/** A directory of its own: nothing in the user's directory or home may configure the compiler. */
export interface Workplace {
  /** Absolute path, with the type declarations in it. */
  readonly directory: string;
  compile(name: string, files: readonly string[], options?: Readonly<Record<string, unknown>>): Promise<Compilation>;
}

/** Work with the compiler, and leave nothing behind. */
export async function withCompiler<R>(
  environment: Readonly<Record<string, string | undefined>>,
  body: (workplace: Workplace) => Promise<R>,
): Promise<R> {
  // Nothing comes between: who is interrupted leaves at once.
  const directory = await unlessFull(() => realpathSync(mkdtempSync(join(tmpdir(), "tsinfra-check-"))));
  const stopped = new AbortController();
  const leave = (): void => {
    stopped.abort();
    rmSync(directory, { recursive: true, force: true });
  };
  process.once("exit", leave);
  try {
    await unlessFull(() => writeTypes(join(directory, "types")));
    return await body({
      directory,
      async compile(name, files, options = {}) {
        // JavaScript is read too: what TypeScript imports from it has types then.
        const compiled = { ...compilerOptions("./types"), allowJs: true, ...options };
        const config = join(directory, `${name}.json`);
        await unlessFull(() => writeFile(config, JSON.stringify({ compilerOptions: compiled, files })));
        return run(config, { directory, environment, signal: stopped.signal });
      },
    });
  } finally {
    // Of several compilers one may have failed.
    stopped.abort();
    await rm(directory, { recursive: true, force: true });
    process.off("exit", leave);
  }
}

/** Nobody's mistake: there is no room on the disk. */
async function unlessFull<T>(body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    throw new LocalFileError(`The directory for temporary files is full: ${tmpdir()}`, {
      hint: "Make room there, or let TMPDIR name another directory",
      cause: error,
    });
  }
}

interface RunOptions {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

async function run(config: string, { directory, environment, signal }: RunOptions): Promise<Compilation> {
  const { BUN_OPTIONS: _, ...inherited } = environment;
  const home = join(directory, "home");
  await mkdir(home, { recursive: true });
  const argv = [process.execPath, "check", "--no-script", "--no-pretty", "--all", "-p", config];
  const { stdout, stderr, exitCode } = await runChild(argv, {
    cwd: directory,
    env: { ...inherited, BUN_BE_BUN: "1", HOME: home, XDG_CONFIG_HOME: home, NO_COLOR: "1" },
    signal,
  });
  const mistakes = mistakesIn(`${stdout}\n${stderr}`, directory);
  return exitCode === 0 || mistakes.length > 0
    ? { mistakes }
    : { mistakes, output: `${stdout}\n${stderr}`.trim() || `The compiler ended with exit code ${exitCode}` };
}

/** `file(line,column): error TS1234: message`, with more of the message on indented lines below. */
function mistakesIn(output: string, directory: string): readonly Mistake[] {
  const mistakes: { at: CallSite; code: string; message: string }[] = [];
  let last: (typeof mistakes)[number] | undefined;
  for (const line of output.split("\n")) {
    const [, file, row, column, code, message] = /^(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/.exec(line) ?? [];
    if (file !== undefined && code !== undefined && message !== undefined) {
      last = {
        at: { file: isAbsolute(file) ? file : resolve(directory, file), line: Number(row), column: Number(column) },
        code,
        message: named(message, directory),
      };
      mistakes.push(last);
    } else if (last && /^\s+\S/.test(line)) last.message += `\n${named(line.trim(), directory)}`;
    else last = undefined;
  }
  return mistakes;
}

/** Where the sources lie, if it runs from them. */
const ROOT = resolve(import.meta.dir, "../../..");

/** A message in which what is ours is called as users call it, and not by the file that declares it. */
function named(message: string, directory: string): string {
  const homes = [join(directory, "types"), join(ROOT, "src"), join(ROOT, "node_modules")];
  const isOurs = (path: string): boolean => homes.some(home => path.startsWith(`${home}/`));
  return message
    .replace(/\btypeof import\("([^"]+)"\)(?!\.)/g, (whole: string, path: string) =>
      isOurs(path) ? (moduleName(path) ?? whole) : whole,
    )
    .replace(/\bimport\("([^"]+)"\)\./g, (whole: string, path: string) => (isOurs(path) ? "" : whole));
}

/** `tsinfra/operations/server` of where it is declared. */
function moduleName(path: string): string | undefined {
  if (path.endsWith("/public/index")) return "tsinfra";
  const [, kind, module = ""] = /\/(operations|facts)(\/[\w-]+)?(?:\/index)?$/.exec(path) ?? [];
  return kind === undefined ? undefined : `tsinfra/${kind}${module === "/index" ? "" : module}`;
}
