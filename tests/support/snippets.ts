/** Snippets of deploy files, checked as `tsinfra check` does. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { checkPlan, planOfFiles } from "../../src/cli/check/index.ts";
import type { Finding } from "../../src/cli/check/index.ts";

/** What every snippet may use, on its first line. */
const PRELUDE = `import { deploy, fact, host, inventory, local, logger, operation, sh, type Host } from "tsinfra"; import { files, server, ts } from "tsinfra/operations"; import { Hostname, Users, Which } from "tsinfra/facts/server"; import { Directory } from "tsinfra/facts/files"; import { chain, dig, install, later, legacy, role, Site } from "./roles/index.ts";`;

const MODULES: Readonly<Record<string, string>> = {
  "roles/index.ts": `import { host } from "tsinfra";
import { Hostname } from "tsinfra/facts/server";
export { legacy } from "./legacy.js";
export * from "./install";
export const chain = () => dig();
export const dig = () => host.getFact(Hostname);
export const later: () => Promise<string> = async () => "later";
export class Site {
  async install(): Promise<void> {}
  name = () => host.getFact(Hostname);
  get address(): Promise<string> {
    return host.getFact(Hostname);
  }
}
`,
  "roles/install.ts": `import { deploy } from "tsinfra";
export async function install(name: string): Promise<string> {
  return name;
}
export const role = deploy("Role", async () => {
  await install("a");
});
`,
  "roles/legacy.js": `export function legacy(anything) {
  return anything.getFact("Hostname");
}
`,
};

/** A snippet, `«` before each place where something is found, and what is found there in that order. */
export type Snippet<M extends string> = readonly [code: string, ...found: M[]];

/** What is found, by the name of the file: `0.ts` is the first snippet. Mistakes of types are left out but for those about promises. */
export async function checkSnippets(snippets: readonly string[]): Promise<ReadonlyMap<string, readonly Finding[]>> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "tsinfra-promises-")));
  try {
    await mkdir(join(directory, "roles"));
    for (const [name, text] of Object.entries(MODULES)) await writeFile(join(directory, name), text);
    const paths = snippets.map((_, index) => join(directory, `${index}.ts`));
    for (const [index, path] of paths.entries())
      await writeFile(path, `${PRELUDE}\n${snippets[index]?.replaceAll("«", "")}\n`);
    const { findings } = await checkPlan(await planOfFiles(paths), {
      cwd: directory,
      connectors: new Map(),
      environment: process.env,
    });
    return Map.groupBy(findings.filter(isTold), ({ at }) => basename(at.file));
  } finally {
    await rm(directory, { recursive: true });
  }
}

const isTold = ({ code, hint }: Finding): boolean => !code.startsWith("TS") || hint !== undefined;

/** Line and column of each mark, in the file that the snippet becomes. */
function marks(code: string): readonly string[] {
  return code
    .split("\n")
    .flatMap((line, above) =>
      [...line.matchAll(/«/g)].map(({ index }, earlier) => `${above + 2}:${index - earlier + 1}`),
    );
}

/** The snippets in which something else is found than they say, with what is found. */
export async function wrongly<M extends string>(
  snippets: readonly Snippet<M>[],
  messages: Readonly<Record<M, string | RegExp>>,
): Promise<readonly { readonly code: string; readonly found: readonly string[] }[]> {
  const findings = await checkSnippets(snippets.map(([code]) => code));
  return snippets.flatMap(([code, ...names], index) => {
    const found = findings.get(`${index}.ts`) ?? [];
    const places = marks(code);
    const isRight =
      found.length === names.length &&
      found.every(({ at, message }, nth) => {
        const name = names[nth];
        const wanted = name === undefined ? "" : messages[name];
        return (
          places[nth] === `${at.line}:${at.column}` &&
          (typeof wanted === "string" ? message === wanted : wanted.test(message))
        );
      });
    return isRight ? [] : [{ code, found: found.map(({ at, message }) => `${at.line}:${at.column} ${message}`) }];
  });
}
