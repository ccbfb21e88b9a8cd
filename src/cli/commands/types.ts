/** `tsinfra types`. @module */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { subcommand } from "../command.ts";
import { EXIT } from "../exit.ts";
import { ArgumentError } from "../parse.ts";
import type { Context } from "../context.ts";
import { compilerOptions, writeNew, writeTypes } from "../types-archive.ts";

const FOLDER = ".tsinfra";

export const types = subcommand({
  name: "types",
  description: "Write type declarations for your editor",
  usage: ["tsinfra types"],
  notes: [
    "Writes .tsinfra/types and .tsinfra/tsconfig.json anew, and tsconfig.json unless there is one. Needs no npm and no network.",
  ],
  async run(context, { words }) {
    if (words.length > 0) throw new ArgumentError(`Unexpected argument "${words[0]}"`);
    await writeEditorTypes(context, context.io.cwd());
    return EXIT.ok;
  },
});

/** Everything an editor needs to know deploy files in `directory`. */
export async function writeEditorTypes({ screen }: Context, directory: string): Promise<void> {
  await writeTypes(join(directory, FOLDER, "types"));
  await writeFile(join(directory, FOLDER, "tsconfig.json"), json({ compilerOptions: compilerOptions("./types") }));
  // What is made anew by a command belongs into no repository.
  await writeNew(join(directory, FOLDER, ".gitignore"), "*\n");
  const isNew = await writeNew(
    join(directory, "tsconfig.json"),
    json({ extends: `./${FOLDER}/tsconfig.json`, include: ["**/*.ts"], exclude: [FOLDER, "node_modules"] }),
  );
  screen.lines([
    `Wrote ${FOLDER}/types`,
    isNew ? "Wrote tsconfig.json" : `Kept tsconfig.json: let it extend ./${FOLDER}/tsconfig.json`,
  ]);
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
