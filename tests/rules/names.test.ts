import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { leafFile, leafModules, ROOT } from "./sources.ts";

for (const layer of ["operations", "facts"] as const) {
  test(`src/${layer}/index.ts names every module, sorted`, () => {
    const index = join(ROOT, "src", layer, "index.ts");
    if (!existsSync(index) && leafModules(layer).length === 0) return;
    const lines = readFileSync(index, "utf8")
      .split("\n")
      .filter(line => line.startsWith("export "));
    expect(lines).toEqual(
      leafModules(layer).map(
        module => `export * as ${module} from "./${leafFile(layer, module).slice(`src/${layer}/`.length)}";`,
      ),
    );
  });

  test(`every export of src/${layer} that has a name is called by its path`, async () => {
    const wrong: string[] = [];
    for (const module of leafModules(layer)) {
      const exported: Record<string, unknown> = await import(join(ROOT, leafFile(layer, module)));
      for (const [path, value] of definitions(module, exported)) {
        const key = path.slice(path.lastIndexOf(".") + 1);
        if (value.name !== path) wrong.push(`${leafFile(layer, module)}: ${key} is called "${value.name}"`);
        if (!(layer === "operations" ? /^[a-z][A-Za-z0-9]*$/ : /^[A-Z][A-Za-z0-9]*$/).test(key))
          wrong.push(`${leafFile(layer, module)}: ${key}`);
      }
    }
    expect(wrong).toEqual([]);
  });
}

/** Operations and facts by the path they are imported by; a module may hold modules. */
function definitions(
  path: string,
  exported: Readonly<Record<string, unknown>>,
): [path: string, definition: { readonly name: string }][] {
  return Object.entries(exported).flatMap(([key, value]) => {
    if (isDefinition(value)) return [[`${path}.${key}`, value] as [string, { readonly name: string }]];
    return Object.prototype.toString.call(value) === "[object Module]"
      ? definitions(`${path}.${key}`, { ...(value as object) })
      : [];
  });
}

/** An operation, or a fact: it has a name with its module in it. */
function isDefinition(value: unknown): value is { readonly name: string } {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return "steps" in value || ("command" in value && "parse" in value) || ("from" in value && "derive" in value);
}
