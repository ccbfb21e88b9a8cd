/** The reference made from the sources, once for as long as they stay the same. @module */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EmbeddedReference } from "./embedded.ts";
import type { UntestedReference } from "./generate.ts";

const ROOT = join(import.meta.dir, "../..");
const CACHE = join(ROOT, "node_modules/.cache/tsinfra");
const SOURCES = ["src/core", "src/facts", "src/operations", "src/reference"];
const PATHS = {
  sources: join(CACHE, "sources.json"),
  signatures: join(CACHE, "signatures.json"),
  reference: join(CACHE, "reference.json"),
  licences: join(CACHE, "licences.txt"),
};

/** Path of a file, which is made anew if what it is made from has changed. */
export async function fromSource(part: keyof EmbeddedReference): Promise<string> {
  if (part === "licences") {
    const { thirdPartyLicences } = await import("./licences.ts");
    await mkdir(CACHE, { recursive: true });
    await replace(PATHS.licences, thirdPartyLicences(ROOT));
    return PATHS.licences;
  }
  const sources = await hashOf(SOURCES.flatMap(folder => typeScriptFiles(folder)));
  await once(`sources ${sources}`, [PATHS.sources, PATHS.signatures], async () => {
    const { readSources, signaturesOf } = await import("./generate.ts");
    const reference = await readSources(ROOT);
    await replace(PATHS.sources, JSON.stringify(reference));
    await replace(PATHS.signatures, JSON.stringify(signaturesOf(reference)));
  });
  // The check of arguments does not wait for what tests say.
  if (part === "signatures") return PATHS.signatures;
  const { testFiles } = await import("./generate/tested.ts");
  const tests = await hashOf([...testFiles(ROOT), ...typeScriptFiles("tests/support")]);
  await once(`reference ${sources} ${tests}`, [PATHS.reference], async () => {
    const { withTests } = await import("./generate.ts");
    const reference = JSON.parse(await readFile(PATHS.sources, "utf8")) as UntestedReference;
    await replace(PATHS.reference, JSON.stringify(await withTests(reference, ROOT)));
  });
  return PATHS.reference;
}

const underWay = new Map<string, Promise<void>>();

/** Make files unless they were made for this key, by this process or another. */
async function once(key: string, made: readonly string[], make: () => Promise<void>): Promise<void> {
  const stamp = join(CACHE, `${key.split(" ")[0]}.key`);
  if (made.every(path => existsSync(path)) && (await readFile(stamp, "utf8").catch(() => "")) === key) return;
  const making =
    underWay.get(key) ??
    mkdir(CACHE, { recursive: true })
      .then(make)
      .then(() => replace(stamp, key));
  underWay.set(key, making);
  return making;
}

async function hashOf(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  const sorted = [...paths].sort();
  const texts = await Promise.all(sorted.map(path => readFile(join(ROOT, path))));
  sorted.forEach((path, index) => hash.update(`${path}\0`).update(texts[index] ?? ""));
  return hash.digest("hex");
}

const typeScriptFiles = (folder: string): readonly string[] =>
  existsSync(join(ROOT, folder))
    ? readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
        .filter(name => name.endsWith(".ts"))
        .map(name => join(folder, name))
    : [];

/** Write at once: others may be reading. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
