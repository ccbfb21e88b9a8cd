/** The reference made from the sources, once for as long as they stay the same. @module */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const CACHE = join(ROOT, "node_modules/.cache/tsinfra");
/** What the reference is made from. */
const INPUTS = ["src/core", "src/facts", "src/operations", "src/reference", "tests/operations", "tests/systems", "tests/e2e", "tests/support"];

interface Paths {
  readonly reference: string;
  readonly signatures: string;
}

/** Paths of the JSON files, which are made anew if a source has changed. */
export async function sourceReference(): Promise<Paths> {
  const key = await hashOfInputs();
  const paths = { reference: join(CACHE, "reference.json"), signatures: join(CACHE, "signatures.json") };
  const stamp = join(CACHE, "key");
  const isFresh = existsSync(paths.reference) && existsSync(paths.signatures) && (await readFile(stamp, "utf8").catch(() => "")) === key;
  if (isFresh) return paths;
  const making = underWay.get(key) ?? make(paths).then(() => replace(stamp, key));
  underWay.set(key, making);
  await making;
  return paths;
}

/** By the hash of the sources. */
const underWay = new Map<string, Promise<void>>();

async function make(paths: Paths): Promise<void> {
  const { generateReference, signaturesOf } = await import("./generate.ts");
  const reference = await generateReference(ROOT);
  await mkdir(CACHE, { recursive: true });
  await replace(paths.reference, JSON.stringify(reference));
  await replace(paths.signatures, JSON.stringify(signaturesOf(reference)));
}

async function hashOfInputs(): Promise<string> {
  const hash = createHash("sha256");
  const paths = INPUTS.flatMap(folder => typeScriptFiles(folder)).sort();
  const texts = await Promise.all(paths.map(path => readFile(join(ROOT, path))));
  paths.forEach((path, index) => hash.update(`${path}\0`).update(texts[index] ?? ""));
  return hash.digest("hex");
}

const typeScriptFiles = (folder: string): readonly string[] =>
  existsSync(join(ROOT, folder)) ? readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter(name => name.endsWith(".ts")).map(name => join(folder, name)) : [];

/** Write at once: others may be reading. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
