/** Default imports from modules of ours that have none: the compiler may take them for CommonJS. @module */
import { DeployLoadError } from "../../core/errors.ts";
import { deployModules } from "../../deploy/index.ts";
import { importHint } from "../import-hint.ts";
import { type Finding, findingOf } from "./finding.ts";
import type { Source } from "./sources.ts";
import { type Node, placeIn, spanOf } from "./syntax.ts";

/** What a run says of them. */
export async function defaultImportFindings({ file, text, branches }: Source): Promise<readonly Finding[]> {
  const imports = branches.flatMap(({ node }) => importedIn(node));
  if (imports.length === 0) return [];
  const modules = await deployModules();
  const wrong = imports.filter(({ module }) => modules.has(module) && !("default" in (modules.get(module) ?? {})));
  return Promise.all(
    wrong.map(async ({ module, specifier }) => {
      const at = { file, ...placeIn(text, spanOf(specifier)[0]) };
      const error = new DeployLoadError(`The module '${module}' has no default export`);
      error.hint = await importHint(error.message, at);
      return findingOf(error, at);
    }),
  );
}

/** What is imported by default, or exported again. */
function importedIn(node: Node): readonly { readonly module: string; readonly specifier: Node }[] {
  const isTaken =
    (node.type === "ImportDeclaration" && node.importKind !== "type") ||
    (node.type === "ExportNamedDeclaration" && node.exportKind !== "type");
  const module = isTaken ? (node.source?.value ?? "") : "";
  if (!isTaken || !/^tsinfra(?:\/|$)/.test(module)) return [];
  return node.specifiers.flatMap(specifier => (isOfDefault(specifier) ? [{ module, specifier }] : []));
}

function isOfDefault(specifier: Node): boolean {
  if (specifier.type === "ImportDefaultSpecifier") return true;
  const name =
    specifier.type === "ImportSpecifier"
      ? specifier.imported
      : specifier.type === "ExportSpecifier"
        ? specifier.local
        : undefined;
  return name?.type === "Identifier" && name.name === "default";
}
