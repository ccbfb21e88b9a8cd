/** What the build makes of the reference. @module */
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { BunPlugin } from "bun";
import { fromSource } from "./from-source.ts";
import { markdownPages } from "./markdown.ts";
import type { Reference } from "./model.ts";

/** What the executable carries, by the names of the files. */
const CARRIED = {
  reference: "reference.json",
  signatures: "signatures.json",
  licences: "THIRD-PARTY-LICENSES",
} as const;

/** Write what the executable carries into a directory. */
export async function writeReference(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const part of ["reference", "signatures", "licences"] as const)
    await copyFile(await fromSource(part), join(directory, CARRIED[part]));
}

/** Write the reference as Markdown into a directory of its own. Returns how many pages there are. */
export async function writeDocs(directory: string): Promise<number> {
  const pages = markdownPages(JSON.parse(await readFile(await fromSource("reference"), "utf8")) as Reference);
  await rm(directory, { recursive: true, force: true });
  for (const [path, text] of pages) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return pages.size;
}

/** Puts what `writeReference` wrote into the executable, and leaves out what makes it from the sources. */
export const referencePlugin = (directory: string): BunPlugin => ({
  name: "reference",
  setup(build) {
    build.onLoad({ filter: /[/\\]src[/\\]reference[/\\]embedded\.ts$/ }, ({ path }) => {
      // Relative, so that where this working copy is does not matter to the bytes.
      const imports = Object.entries(CARRIED).map(
        ([name, file]) =>
          `import ${name} from ${JSON.stringify(join(relative(dirname(path), directory), file).replaceAll("\\", "/"))} with { type: "file" };\n`,
      );
      return {
        contents: `${imports.join("")}export const embedded = { ${Object.keys(CARRIED).join(", ")} };\n`,
        loader: "ts",
      };
    });
    build.onLoad({ filter: /[/\\]src[/\\]reference[/\\]from-source\.ts$/ }, () => ({
      contents: "export const fromSource = undefined;\n",
      loader: "ts",
    }));
  },
});
