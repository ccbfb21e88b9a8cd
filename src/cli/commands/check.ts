/** `tsinfra check DEPLOY.ts…`. @module */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import type { CallSite } from "../../core/errors.ts";
import { runChild } from "../child.ts";
import { subcommand } from "../command.ts";
import { EXIT } from "../exit.ts";
import { ArgumentError } from "../parse.ts";
import type { Context } from "../context.ts";
import { fatalLines } from "../views/errors.ts";
import { plural } from "../views/text.ts";

export const check = subcommand({
  name: "check",
  description: "Check the types of deploy files, offline",
  usage: ["tsinfra check FILE.ts..."],
  args: {
    file: {
      type: "positional",
      required: false,
      valueHint: "FILE.ts",
      description: "Deploy files, inventories, infra.config.ts",
    },
  },
  notes: ["Connects to nothing and runs nothing. The compiler and the declarations are part of the executable."],
  async run(context, { files }) {
    const { io, options, screen, paint } = context;
    if (files.length === 0)
      throw new ArgumentError("There is no file to check", { hint: "Write tsinfra check deploy.ts" });
    const paths = files.map(file => resolve(io.cwd(), file));
    const missing = paths.find(path => !existsSync(path));
    if (missing !== undefined) throw new ArgumentError(`There is no file "${missing}"`);
    const { mistakes, output } = await compile(context, await Promise.all(paths.map(path => realpath(path))));
    for (const { at, code, message } of mistakes) {
      if (options.json) screen.event({ type: "check:error", ...{ at, code, message } }, io.clock.now());
      screen.lines([...fatalLines({ code, message: `${message} (${code})`, at }, paint, screen.columns), ""]);
    }
    if (mistakes.length === 0 && output !== undefined) {
      screen.lines(output.split("\n"));
      return EXIT.failed;
    }
    screen.lines([
      mistakes.length === 0
        ? `${paint("ok", "Fine:")} ${plural(files.length, "file")} checked`
        : `${paint("fail", "Found")} ${plural(mistakes.length, "mistake")}`,
    ]);
    return mistakes.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

interface Mistake {
  readonly at: CallSite;
  readonly code: string;
  readonly message: string;
}

/** Run the compiler in a directory of its own: nothing in the user's directory or home may configure it. `output` is what it said beside mistakes, if it failed. */
async function compile(
  { io }: Context,
  files: readonly string[],
): Promise<{ readonly mistakes: readonly Mistake[]; readonly output?: string }> {
  const { compilerOptions, writeTypes } = await import("../types-archive.ts");
  const directory = await realpath(await mkdtemp(join(tmpdir(), "tsinfra-check-")));
  try {
    await writeTypes(join(directory, "types"));
    await writeFile(
      join(directory, "tsconfig.json"),
      JSON.stringify({ compilerOptions: compilerOptions("./types"), files }),
    );
    const { BUN_OPTIONS: _, ...environment } = io.environment;
    const { stdout, stderr, exitCode } = await runChild(
      [process.execPath, "check", "--no-script", "--no-pretty", "--all", "-p", join(directory, "tsconfig.json")],
      {
        cwd: directory,
        env: { ...environment, BUN_BE_BUN: "1", HOME: directory, XDG_CONFIG_HOME: directory, NO_COLOR: "1" },
      },
    );
    const mistakes = mistakesIn(`${stdout}\n${stderr}`, directory);
    return exitCode === 0 || mistakes.length > 0
      ? { mistakes }
      : { mistakes, output: `${stdout}\n${stderr}`.trim() || `The compiler ended with exit code ${exitCode}` };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
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
        message,
      };
      mistakes.push(last);
    } else if (last && /^\s+\S/.test(line)) last.message += `\n${line.trim()}`;
    else last = undefined;
  }
  return mistakes;
}
