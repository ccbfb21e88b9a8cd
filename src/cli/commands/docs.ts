/** `tsinfra docs [NAME]`. @module */
import { didYouMean, nearest } from "../../core/nearest.ts";
import {
  type FactReference,
  loadLicences,
  loadReference,
  type OperationReference,
  type Reference,
} from "../../reference/index.ts";
import {
  type ArgumentRow,
  argumentRows,
  factExample,
  firstSentence,
  idempotence,
  oldNames,
  plain,
  tested,
} from "../../reference/pages.ts";
import { subcommand } from "../command.ts";
import { EXIT } from "../exit.ts";
import { ArgumentError } from "../parse.ts";
import { colorPaint, noPaint, type Paint, wantsColor } from "../views/paint.ts";
import { padEnd, widthOf, wrap } from "../views/text.ts";

const WIDEST = 100;

export const docs = subcommand({
  name: "docs",
  description: "Read about operations and facts",
  usage: ["tsinfra docs [NAME]"],
  args: {
    name: {
      type: "positional",
      required: false,
      description:
        "A module (files), an operation (files.put), a fact (files.File), a global argument (_sudo), a connector (@docker), connectors, or licenses; default: all modules",
    },
  },
  notes: ["facts/files and operations/files say which of the two is meant."],
  async run({ io, options, screen }, { words }) {
    if (words.length > 1) throw new ArgumentError(`Unexpected argument "${words[1]}"`, { hint: "docs takes one name" });
    if (/^licen[cs]es$/.test(words[0] ?? "")) {
      screen.data((await loadLicences()).trimEnd());
      return EXIT.ok;
    }
    const paint = wantsColor(options["no-color"] === true, io.environment, io.stdout.isTTY === true)
      ? colorPaint
      : noPaint;
    const page: Page = { paint, width: Math.min(io.stdout.columns ?? 80, WIDEST) };
    const lines = /^(?:connectors$|@)/.test(words[0] ?? "")
      ? await connectorPages(words[0] ?? "", page)
      : docsOf(await loadReference(), words[0], page);
    screen.data(lines.join("\n"));
    return EXIT.ok;
  },
});

interface Page {
  readonly paint: Paint;
  readonly width: number;
}

/** The page of a name, without one the list of modules. Throws `ArgumentError` with the nearest name. */
function docsOf(reference: Reference, written: string | undefined, page: Page): readonly string[] {
  if (written === undefined) return overview(reference, page);
  const [, layer, given = written] = /^(operations|facts)(?:\/(.*))?$/.exec(written) ?? [];
  const operations = layer === "facts" ? [] : reference.operations;
  const facts = layer === "operations" ? [] : reference.facts;
  if (layer !== undefined && given === written) return overview({ ...reference, operations, facts }, page);
  const name = Object.hasOwn(reference.aliases, given) ? (reference.aliases[given] ?? given) : given;
  const operation = operations.find(one => one.name === name);
  if (operation) return operationPage(reference, operation, page);
  const fact = facts.find(one => one.name === name);
  if (fact) return factPage(reference, fact, page);
  const inModule = (entry: { readonly module: string }): boolean =>
    entry.module === name || entry.module.startsWith(`${name}.`);
  const members = { operations: operations.filter(inModule), facts: facts.filter(inModule) };
  if (members.operations.length + members.facts.length > 0) return modulePage(reference, name, members, page);
  if (name.startsWith("_") || name === "global-arguments") return globalsPage(reference, name, page);
  throw new ArgumentError(`There is nothing called "${written}"`, {
    hint: hintFor(name, [...operations, ...facts], reference),
  });
}

function hintFor(
  name: string,
  entries: readonly { readonly name: string; readonly module: string }[],
  { globals }: Reference,
): string | undefined {
  const last = (one: string): string => one.slice(one.lastIndexOf(".") + 1).toLowerCase();
  const bare = entries.filter(one => last(one.name) === name.toLowerCase()).map(one => one.name);
  if (bare.length > 0)
    return `Did you mean ${bare
      .slice(0, 3)
      .map(one => `"${one}"`)
      .join(" or ")}?`;
  const modules = [...new Set(entries.map(({ module }) => module))];
  const near = nearest(name, [...entries.map(one => one.name), ...modules, ...globals.map(one => one.name)]);
  const ofModule = entries.filter(({ module }) => name.startsWith(`${module}.`)).map(one => one.name);
  return near === undefined && ofModule.length > 0
    ? didYouMean(name, ofModule)
    : near === undefined
      ? "tsinfra docs lists all modules"
      : `Did you mean "${near}"?`;
}

function overview(
  { operations, facts, operationModules, factModules }: Reference,
  { paint, width }: Page,
): readonly string[] {
  const part = (
    title: string,
    modules: Reference["factModules"],
    count: (module: string) => number,
  ): readonly string[] => [
    "",
    paint("heading", title),
    ...columns(
      modules.flatMap(({ name, summary }) => (count(name) === 0 ? [] : [[name, firstSentence(summary)] as const])),
      width,
      paint,
    ),
  ];
  const counted = (entries: readonly { readonly module: string }[]) => (name: string) =>
    entries.filter(({ module }) => module === name || module.startsWith(`${name}.`)).length;
  const live = operations.filter(({ deprecated }) => deprecated === undefined).length;
  const counts = [live > 0 ? `${live} operations` : "", facts.length > 0 ? `${facts.length} facts` : ""]
    .filter(Boolean)
    .join(", ");
  return [
    ...wrap(`${counts}. Read on with tsinfra docs MODULE or tsinfra docs MODULE.NAME.`, width),
    ...(operations.length > 0 ? part("Operations", operationModules, counted(operations)) : []),
    ...(facts.length > 0 ? part("Facts", factModules, counted(facts)) : []),
  ];
}

function modulePage(
  reference: Reference,
  name: string,
  { operations, facts }: Pick<Reference, "operations" | "facts">,
  page: Page,
): readonly string[] {
  const { paint, width } = page;
  const summary =
    [...reference.operationModules, ...reference.factModules].find(module => module.name === name)?.summary ?? "";
  const part = (
    title: string,
    entries: readonly { readonly name: string; readonly summary: string }[],
  ): readonly string[] =>
    entries.length === 0
      ? []
      : [
          "",
          paint("heading", title),
          ...columns(
            entries.map(one => [one.name, firstSentence(one.summary)]),
            width,
            paint,
          ),
        ];
  return [paint("heading", name), ...text(summary, page), ...part("Operations", operations), ...part("Facts", facts)];
}

function operationPage(reference: Reference, one: OperationReference, page: Page): readonly string[] {
  const positional =
    one.positional.length > 0
      ? [
          "",
          ...text(
            `On the command line: tsinfra INVENTORY ${[one.name, ...one.positional.map(name => name.toUpperCase())].join(" ")}`,
            page,
          ),
        ]
      : [];
  return [
    ...heading(reference, one, page),
    ...one.examples.flatMap((example, index) => [
      ...(index === 0 ? ["", page.paint("heading", "Example")] : [""]),
      ...code(example),
    ]),
    ...argumentLines(one, page),
    ...positional,
    "",
    ...text(`${idempotence(one)} ${tested(one)}`, page),
    ...text("Takes global arguments such as _sudo too: tsinfra docs global-arguments.", page),
  ];
}

function factPage(reference: Reference, one: FactReference, page: Page): readonly string[] {
  return [
    ...heading(reference, one, page),
    "",
    page.paint("heading", "Example"),
    ...code(factExample(one)),
    ...argumentLines(one, page),
    "",
    page.paint("heading", "Answer"),
    ...text(one.resultText, page),
    ...(one.resultFields
      ? rowLines(argumentRows({ arguments: one.resultFields }), page, row => (row.required ? "" : ", may be absent"))
      : []),
    ...(one.requires === undefined ? [] : ["", ...text(`Needs ${one.requires} on the host.`, page)]),
  ];
}

/** What connectors there are, or what one of them reads. */
async function connectorPages(name: string, page: Page): Promise<readonly string[]> {
  const [{ createConnectors }, { TYPES }] = await Promise.all([
    import("../../connectors/index.ts"),
    import("../../connectors/table.ts"),
  ]);
  const connectors = createConnectors();
  const { paint, width } = page;
  if (name === "connectors")
    return [
      ...text("A host is @connector/address, or a chain: @ssh/bastion/@docker/app.", page),
      "",
      ...columns(
        [...connectors.values()].map(one => [`@${one.name}`, one.summary]),
        width,
        paint,
      ),
    ];
  const connector = connectors.get(name.slice(1));
  if (!connector)
    throw new ArgumentError(`There is no connector "${name}"`, {
      hint: didYouMean(
        name,
        [...connectors.keys()].map(known => `@${known}`),
      ),
    });
  const rows = Object.entries(connector.dataKeys).map(([key, { type, description, default: initial }]) => ({
    name: key,
    type: TYPES[type],
    required: false,
    default: initial === undefined ? undefined : JSON.stringify(initial),
    text: description,
  }));
  return [
    paint("heading", `@${connector.name}`),
    ...text(connector.summary, page),
    ...(rows.length === 0
      ? []
      : [
          "",
          paint("heading", "Host data"),
          ...rowLines(rows, page, row => (row.default === undefined ? "" : ` = ${row.default}`)),
        ]),
  ];
}

function globalsPage(reference: Reference, name: string, page: Page): readonly string[] {
  const wanted = reference.globals.filter(one => name === "global-arguments" || one.name === name);
  if (wanted.length === 0)
    throw new ArgumentError(`There is no global argument "${name}"`, {
      hint: didYouMean(
        name,
        reference.globals.map(one => one.name),
      ),
    });
  return [
    page.paint("heading", "Global arguments"),
    ...text("What every operation takes beside its own arguments.", page),
    ...argumentLines({ arguments: wanted }, page).slice(2),
  ];
}

function heading(reference: Reference, one: OperationReference | FactReference, page: Page): readonly string[] {
  const old = oldNames(reference, one.name);
  return [
    page.paint("heading", one.name),
    ...(one.deprecated === undefined ? [] : text(`Deprecated: ${one.deprecated}`, page)),
    ...text(one.summary, page),
    ...(one.text === undefined ? [] : one.text.split("\n\n").flatMap(paragraph => ["", ...text(paragraph, page)])),
    ...(old.length === 0 ? [] : text(`Also known by the older name ${old.join(", ")}.`, page)),
  ];
}

function argumentLines(entry: Parameters<typeof argumentRows>[0], page: Page): readonly string[] {
  const rows = argumentRows(entry);
  const note = ({ required, default: initial }: ArgumentRow): string =>
    required ? " (required)" : initial === undefined ? "" : ` = ${initial}`;
  return rows.length === 0 ? [] : ["", page.paint("heading", "Arguments"), ...rowLines(rows, page, note)];
}

const rowLines = (
  rows: readonly ArgumentRow[],
  { paint, width }: Page,
  note: (row: ArgumentRow) => string,
): readonly string[] =>
  rows.flatMap(row => {
    const [first = "", ...more] = wrap(`${row.name}: ${row.type}${note(row)}`, width - 6);
    return [
      `  ${first.replace(row.name, paint("name", row.name))}`,
      ...more.map(line => `      ${line}`),
      ...indented(plain(row.text).replace(/\s*\n\s*/g, " "), 6, width),
    ];
  });

const text = (paragraph: string, { width }: Page): readonly string[] =>
  paragraph === "" ? [] : indented(plain(paragraph).replace(/\s*\n\s*/g, " "), 2, width);
const code = (lines: string): readonly string[] => lines.split("\n").map(line => (line === "" ? "" : `  ${line}`));
const indented = (paragraph: string, by: number, width: number): readonly string[] =>
  paragraph === "" ? [] : wrap(paragraph, width - by).map(line => " ".repeat(by) + line);

function columns(entries: readonly (readonly [string, string])[], width: number, paint: Paint): readonly string[] {
  const first = Math.max(0, ...entries.map(([name]) => widthOf(name)));
  return entries.flatMap(([name, meaning]) => {
    const [head = "", ...others] = wrap(meaning, width - first - 4);
    return [
      `  ${paint("name", padEnd(name, first))}  ${head}`.trimEnd(),
      ...others.map(line => " ".repeat(first + 4) + line),
    ];
  });
}
