/** The source tree as syntax trees, for the tests of the rules about it. @module */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";

export const ROOT = join(import.meta.dir, "../..");

/** One file of the project. */
export interface Source {
  /** Relative to the repository: `src/core/command.ts`. */
  readonly path: string;
  /** Folder or file below `src`: `core`, `main.ts`. Empty outside of `src`. */
  readonly layer: string;
  readonly tree: ts.SourceFile;
}

const parsed = new Map<string, Source>();

/** Every TypeScript file below a folder, by path, sorted. A folder that is not there has none. */
export function sources(folder: string): readonly Source[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter(name => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map(name => source(join(folder, name)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function source(path: string): Source {
  const known = parsed.get(path);
  if (known) return known;
  const [top, layer = ""] = path.split("/");
  const tree = ts.createSourceFile(path, readFileSync(join(ROOT, path), "utf8"), ts.ScriptTarget.ESNext, true);
  const made = { path, layer: top === "src" ? layer : "", tree };
  parsed.set(path, made);
  return made;
}

/** Visit a node and everything below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, child => walk(child, visit));
}

/** Where a node is and how it begins, for messages. */
export function place(node: ts.Node): string {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  return `${file.fileName}:${line + 1}: ${node.getText().split("\n")[0]?.slice(0, 90)}`;
}

/** One thing that a file imports. */
export interface Import {
  /** A path relative to the repository, or the specifier of a package. */
  readonly target: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly node: ts.Node;
}

/** Everything a file imports: statically, dynamically, as a type, or to export it again. */
export function imports({ path, tree }: Source): readonly Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: string, typeOnly: boolean) =>
    found.push({
      node,
      specifier,
      typeOnly,
      target: specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : specifier,
    });
  walk(tree, node => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier))
      add(node, node.moduleSpecifier.text, node.importClause?.isTypeOnly ?? false);
    if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier))
      add(node, node.moduleSpecifier.text, node.isTypeOnly);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal))
      add(node, node.argument.literal.text, true);
    const [first] =
      ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments : [];
    if (first && ts.isStringLiteral(first)) add(node, first.text, false);
  });
  return found;
}

/** Names of the modules of a layer of leaves: `apt` for `apt.ts`, `files` for `files/index.ts`. Sorted. */
export function leafModules(layer: "operations" | "facts"): readonly string[] {
  const folder = join(ROOT, "src", layer);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.name !== "shared" && entry.name !== "index.ts")
    .filter(entry =>
      entry.isDirectory() ? existsSync(join(folder, entry.name, "index.ts")) : entry.name.endsWith(".ts"),
    )
    .map(entry => entry.name.replace(/\.ts$/, ""))
    .sort();
}

/** The file of a leaf module, relative to the repository. */
export const leafFile = (layer: "operations" | "facts", module: string): string =>
  [`src/${layer}/${module}.ts`, `src/${layer}/${module}/index.ts`].find(path => existsSync(join(ROOT, path))) ??
  `src/${layer}/${module}.ts`;
