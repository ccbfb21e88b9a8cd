import { expect, setDefaultTimeout, test } from "bun:test";
import { basename } from "node:path";
import ts from "typescript";
import { imports, place, type Source, sources, walk } from "./sources.ts";

setDefaultTimeout(60_000);

/**
 * What each part of `src` may import; itself always.
 * `deploy` brings to a deploy file what it imports from "tsinfra", so it knows `public` and the leaves; nothing inner knows `deploy`.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["cli"],
  cli: ["config", "inventory", "deploy", "registry.ts", "engine", "connectors", "core", "reference", "types"],
  config: ["core"],
  inventory: ["core"],
  deploy: ["public", "operations", "facts", "core"],
  "registry.ts": ["operations", "facts"],
  public: ["config", "connectors", "core"],
  engine: ["core"],
  connectors: ["core"],
  operations: ["facts", "core"],
  facts: ["core"],
  core: [],
  reference: ["core"],
  types: [],
};
/** What each part may know the types of, without running any of it. */
const TYPE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  deploy: ["engine"],
  public: ["inventory"],
  "registry.ts": ["core"],
};
/** Node's own modules that the inner layers may use: nothing that reaches disk, network, clock or processes. */
const INNER: Readonly<Record<string, readonly string[]>> = {
  core: ["node:async_hooks", "node:crypto", "node:util"],
  facts: [],
  operations: [],
  engine: ["node:async_hooks", "node:crypto", "node:path"],
};

const src = sources("src");

test("imports follow the arrows between layers", () => {
  const wrong: string[] = [];
  for (const file of src) {
    const allowed = [file.layer, ...(ARROWS[file.layer] ?? [])];
    for (const { target, typeOnly, node } of imports(file)) {
      const layer = /^src\/([^/]+)/.exec(target)?.[1];
      if (!layer) continue;
      if (!allowed.includes(layer) && !(typeOnly && TYPE_ARROWS[file.layer]?.includes(layer)))
        wrong.push(`${file.layer} → ${layer}: ${place(node)}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("every arrow is used", () => {
  const used = new Set(
    src.flatMap(file =>
      imports(file).map(({ target, typeOnly }) => `${file.layer} ${/^src\/([^/]+)/.exec(target)?.[1]} ${typeOnly}`),
    ),
  );
  const drawn = (arrows: Readonly<Record<string, readonly string[]>>, typeOnly: boolean) =>
    Object.entries(arrows).flatMap(([from, to]) => to.map(target => `${from} ${target} ${typeOnly}`));
  expect([...drawn(ARROWS, false), ...drawn(TYPE_ARROWS, true)].filter(arrow => !used.has(arrow))).toEqual([]);
});

test("every part of src has its place in the arrows", () => {
  expect([...new Set(src.map(file => file.layer))].filter(layer => !(layer in ARROWS))).toEqual([]);
});

test("core, facts, operations and engine use no package, and of Node nothing that acts", () => {
  const wrong: string[] = [];
  for (const file of src) {
    const allowed = INNER[file.layer];
    if (!allowed) continue;
    for (const { target, node } of imports(file))
      if (!target.startsWith("src/") && !allowed.includes(target)) wrong.push(place(node));
  }
  expect(wrong).toEqual([]);
});

test("files of src import nothing outside of it", () => {
  const outside = src.flatMap(file =>
    imports(file).filter(
      ({ specifier, target }) => specifier.startsWith(".") && !target.startsWith("src/") && target !== "package.json",
    ),
  );
  expect(outside.map(({ node }) => place(node))).toEqual([]);
});

/** The rooms of `src/engine`, from the ground up: each may use what is below it, and itself. */
const ROOMS: readonly (readonly string[])[] = [
  ["settings.ts", "events.ts", "report.ts", "stopwatch.ts", "tally.ts"],
  ["host"],
  ["host-data.ts", "host-state.ts"],
  ["kept-results.ts", "engine.ts"],
  ["operation"],
  ["stages"],
  ["run.ts"],
];

test("the rooms of the engine stand on each other", () => {
  const floor = (path: string): number =>
    ROOMS.findIndex(room => room.includes(/^src\/engine\/([^/]+)/.exec(path)?.[1] ?? ""));
  const engine = src.filter(({ layer }) => layer === "engine");
  expect(engine.filter(({ path }) => floor(path) === -1).map(({ path }) => path)).toEqual([]);
  const wrong = engine.flatMap(file =>
    imports(file).filter(({ target }) => target.startsWith("src/engine/") && floor(target) > floor(file.path)),
  );
  expect(wrong.map(({ node }) => place(node))).toEqual([]);
});

test("modules of src do not run in circles, not even of types", () => {
  const edges = new Map(src.map(file => [file.path, imports(file).map(({ target }) => target)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const follow = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) return void circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) follow(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) follow(path, []);
  expect(circles).toEqual([]);
});

test("import paths name the file, with its extension", () => {
  const wrong = [...src, ...sources("tests")].flatMap(file =>
    imports(file).filter(({ specifier }) => specifier.startsWith(".") && !/\.(ts|json|txt|j2|c)$/.test(specifier)),
  );
  expect(wrong.map(({ node }) => place(node))).toEqual([]);
});

test("no file of src is longer than 400 lines, none of the tests longer than 600", () => {
  const lines = ({ tree }: Source) => tree.text.split("\n").length - 1;
  expect(
    [...src.filter(file => lines(file) > 400), ...sources("tests").filter(file => lines(file) > 600)].map(
      file => `${file.path}: ${lines(file)}`,
    ),
  ).toEqual([]);
});

test("file names are kebab-case and say what is inside", () => {
  const vague = /(^|-)(util|utils|utility|utilities|helper|helpers|manager|managers|common|misc|info|stuff)(-|\.|$)/;
  const names = [...src, ...sources("tests")].map(file => file.path);
  expect(names.filter(path => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(basename(path)))).toEqual([]);
  expect(names.filter(path => path.split("/").some(part => vague.test(part)))).toEqual([]);
});

test("nothing is exported by default", () => {
  const found = src.flatMap(({ tree, layer }) =>
    tree.statements.filter(
      one =>
        ts.isExportAssignment(one) ||
        (ts.canHaveModifiers(one) && ts.getModifiers(one)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) ||
        // An operation may be called `default`, as one of ufw's is: its module is always imported whole.
        (layer !== "operations" &&
          ts.isExportDeclaration(one) &&
          one.exportClause &&
          ts.isNamedExports(one.exportClause) &&
          one.exportClause.elements.some(({ name }) => name.text === "default")),
    ),
  );
  expect(found.map(place)).toEqual([]);
});

test("`any` stands in registry.ts alone", () => {
  expect(
    found(
      src.filter(({ layer }) => layer !== "registry.ts"),
      node => node.kind === ts.SyntaxKind.AnyKeyword,
    ),
  ).toEqual([]);
});

test("operations assert no types", () => {
  const isAssertion = (node: ts.Node) =>
    ts.isTypeAssertionExpression(node) || (ts.isAsExpression(node) && node.type.getText() !== "const");
  expect(
    found(
      src.filter(({ layer }) => layer === "operations"),
      isAssertion,
    ),
  ).toEqual([]);
});

function found(files: readonly Source[], is: (node: ts.Node) => boolean): string[] {
  const places: string[] = [];
  for (const { tree } of files) walk(tree, node => void (is(node) && places.push(place(node))));
  return places;
}
