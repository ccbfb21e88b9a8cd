/** Which operations tests of ours apply to real systems. @module */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type ts from "typescript";

/** Tests that are about our code, not about systems. */
const APART = ["bench", "conformance", "reference", "rules", "support"];
/** A test counts if it imports one of these, itself or through others. */
const REACHES = ["tests/support/apply.ts", "tests/support/hosts.ts", "tests/support/sshd.ts"];
/** What makes a system other than the Debian that tests run on. */
const MAKES: Readonly<Record<string, readonly string[]>> = {
  busyboxRootfs: ["busybox"],
  debianRootfs: ["Debian"],
  raiseHosts: ["Debian"],
  localHost: ["Debian"],
  onUserlands: ["Debian", "busybox"],
};
/** What a file says of the systems it uses, where the names of what it calls do not tell. */
const SAYS = /\bTested on: ([^.*\n]+)/g;

/**
 * The systems that each operation of `names` is applied to.
 * A test counts if it gives the operation to `apply`, or has a deploy that calls it and a host to run it on.
 */
export function testedOperations(
  typescript: typeof ts,
  root: string,
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const known = new Set(names);
  const tested = new Map<string, Set<string>>();
  for (const path of testFiles(root)) {
    const text = readFileSync(join(root, path), "utf8");
    if (!reaches(root, path, new Set())) continue;
    const systems = systemsOf(text);
    for (const name of mentions(typescript, path, text)) {
      if (!known.has(name)) continue;
      tested.set(name, new Set([...(tested.get(name) ?? []), ...systems]));
    }
  }
  return new Map([...tested].map(([name, systems]) => [name, [...systems].sort()]));
}

/** Files below `tests` that may run an operation, sorted. */
export const testFiles = (root: string): readonly string[] =>
  existsSync(join(root, "tests"))
    ? readdirSync(join(root, "tests"), { recursive: true, encoding: "utf8" })
        .filter(name => name.endsWith(".ts") && !APART.includes(name.split(/[/\\]/)[0] ?? ""))
        .map(name => join("tests", name))
        .sort()
    : [];

/** Whether a file imports, itself or through others of the tests, what reaches a system. */
function reaches(root: string, path: string, seen: Set<string>): boolean {
  if (REACHES.includes(path)) return true;
  if (seen.has(path) || !existsSync(join(root, path))) return false;
  seen.add(path);
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/\bfrom "(\.[^"]+)"/g)]
    .map(([, specifier = ""]) => join(dirname(path), specifier))
    .some(target => target.startsWith("tests/") && reaches(root, target, seen));
}

function systemsOf(text: string): readonly string[] {
  const said = [...text.matchAll(SAYS)].flatMap(([, list = ""]) => list.split(",").map(one => one.trim()));
  if (said.length > 0) return said;
  const made = Object.entries(MAKES).flatMap(([name, systems]) => (text.includes(`${name}(`) ? systems : []));
  return made.length > 0 ? made : ["Debian"];
}

/** Operations that a test names: imported from their module, or called in the text of a deploy. */
function mentions(typescript: typeof ts, path: string, text: string): ReadonlySet<string> {
  const found = new Set<string>();
  const modules = new Map<string, string>();
  const members = new Map<string, string>();
  const file = typescript.createSourceFile(path, text, typescript.ScriptTarget.ESNext, true);
  const visit = (node: ts.Node): void => {
    if (typescript.isImportDeclaration(node)) return readImport(node);
    if (typescript.isPropertyAccessExpression(node))
      found.add(node.getText().replace(/^\w+/, name => modules.get(name) ?? name));
    if (typescript.isIdentifier(node) && members.has(node.text)) found.add(members.get(node.text) ?? "");
    if (
      typescript.isStringLiteralLike(node) ||
      typescript.isTemplateHead(node) ||
      typescript.isTemplateMiddle(node) ||
      typescript.isTemplateTail(node)
    ) {
      for (const [name] of node.text.matchAll(/\b[a-z]\w*(?:\.[a-zA-Z]\w*)+(?=\()/g)) found.add(name);
    }
    typescript.forEachChild(node, visit);
  };
  const readImport = (node: ts.ImportDeclaration): void => {
    const module = /\/src\/operations\/(?:(?!index\.ts)([\w-]+))?/.exec(
      typescript.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : "",
    );
    const bindings = node.importClause?.namedBindings;
    if (!module || !bindings) return;
    const name = module[1];
    if (typescript.isNamespaceImport(bindings)) {
      if (name !== undefined) modules.set(bindings.name.text, name);
      return;
    }
    for (const element of bindings.elements) {
      const imported = (element.propertyName ?? element.name).text;
      if (name === undefined) modules.set(element.name.text, imported);
      else members.set(element.name.text, `${name}.${imported}`);
    }
  };
  visit(file);
  return found;
}
