/** The reference as Markdown: a page for each module. @module */
import type { FactReference, ModuleReference, OperationReference, Reference } from "./model.ts";
import {
  type ArgumentRow,
  argumentRows,
  factExample,
  firstSentence,
  idempotence,
  oldNames,
  plain,
  tested,
} from "./pages.ts";

/** Pages by path. */
export function markdownPages(reference: Reference): ReadonlyMap<string, string> {
  const pages = new Map<string, string>();
  for (const { name, summary } of reference.operationModules)
    pages.set(`operations/${name}.md`, operationsPage(reference, name, summary));
  for (const { name, summary } of reference.factModules)
    pages.set(`facts/${name}.md`, factsPage(reference, name, summary));
  pages.set("global-arguments.md", globalsPage(reference));
  pages.set("index.md", indexPage(reference));
  return pages;
}

const inModule = <E extends { readonly module: string }>(entries: readonly E[], name: string): readonly E[] =>
  entries.filter(({ module }) => module === name || module.startsWith(`${name}.`));

function operationsPage(reference: Reference, name: string, summary: string): string {
  const operations = inModule(reference.operations, name);
  const facts = reference.factModules.some(module => module.name === name)
    ? [`Facts: [${name}](../facts/${name}.md).`]
    : [];
  return page([
    `# ${name}`,
    ...paragraph(summary),
    [...facts, "All operations also take [global arguments](../global-arguments.md)."].join(" "),
    contents(operations),
    ...operations.flatMap(one => operationSection(reference, one)),
  ]);
}

function operationSection(reference: Reference, one: OperationReference): readonly string[] {
  return [
    `## ${one.name}`,
    ...deprecation(one),
    ...paragraph(one.summary),
    ...paragraph(one.text ?? ""),
    ...one.examples.map(example => fence(example)),
    ...argumentTable(one),
    ...(one.rest === undefined ? [] : ["Takes other arguments as well."]),
    ...(one.positional.length > 0
      ? [
          `On the command line: \`tsinfra INVENTORY ${[one.name, ...one.positional.map(name => name.toUpperCase())].join(" ")}\`.`,
        ]
      : []),
    `${idempotence(one)} ${tested(one)}`,
    ...formerly(reference, one.name),
  ];
}

function factsPage(reference: Reference, name: string, summary: string): string {
  const facts = inModule(reference.facts, name);
  const operations = reference.operationModules.some(module => module.name === name)
    ? [`Operations: [${name}](../operations/${name}.md).`]
    : [];
  return page([
    `# Facts: ${name}`,
    ...paragraph(summary),
    ...operations,
    contents(facts),
    ...facts.flatMap(one => factSection(reference, one)),
  ]);
}

function factSection(reference: Reference, one: FactReference): readonly string[] {
  return [
    `## ${one.name}`,
    ...deprecation(one),
    ...paragraph(one.summary),
    ...paragraph(one.text ?? ""),
    fence(factExample(one)),
    ...argumentTable(one),
    `Answer: \`${one.resultText}\`.${one.requires === undefined ? "" : ` Needs \`${one.requires}\` on the host.`}`,
    ...(one.resultFields ? argumentTable({ arguments: one.resultFields }, "Field") : []),
    ...formerly(reference, one.name),
  ];
}

function globalsPage(reference: Reference): string {
  return page([
    "# Global arguments",
    "What every operation takes beside its own arguments. Facts take those about who runs a command and where.",
    ...argumentTable({ arguments: reference.globals }),
  ]);
}

function indexPage(reference: Reference): string {
  const { operations, facts, operationModules, factModules } = reference;
  const untested = operations.filter(({ testedOn }) => testedOn.length === 0).map(({ name }) => name);
  return page([
    "# Reference",
    `${operations.length} operations in ${operationModules.length} modules, ${facts.length} facts in ${factModules.length} modules. All of them take [global arguments](global-arguments.md).`,
    "## Operations",
    modulesTable("Operations", operationModules, operations),
    "## Facts",
    modulesTable("Facts", factModules, facts),
    "## Not run on a real system by our tests",
    untested.length === 0
      ? "None: all operations are."
      : `${untested.length} of ${operations.length}: ${untested.map(name => `\`${name}\``).join(", ")}.`,
    "The list is made from the tests: an operation counts as run if a test applies it to a real userland. Most operations, these too, are checked by cases that compare their commands.",
  ]);
}

/** What there is in each module, with a link to its page. */
function modulesTable(
  title: "Operations" | "Facts",
  modules: readonly ModuleReference[],
  entries: readonly { readonly module: string; readonly name: string }[],
): string {
  const directory = title.toLowerCase();
  return table(
    ["Module", title, ""],
    modules.map(({ name, summary }) => [
      `[${name}](${directory}/${name}.md)`,
      inModule(entries, name)
        .map(entry => `\`${entry.name.slice(name.length + 1)}\``)
        .join(", "),
      firstSentence(summary),
    ]),
  );
}

const page = (blocks: readonly string[]): string => `${blocks.join("\n\n")}\n`;
const paragraph = (text: string): readonly string[] => (text === "" ? [] : [plain(text)]);
const fence = (code: string): string => `\`\`\`ts\n${code}\n\`\`\``;
const contents = (entries: readonly { readonly name: string; readonly summary: string }[]): string =>
  entries.map(({ name, summary }) => `- [${name}](#${anchor(name)}): ${firstSentence(summary)}`).join("\n");
const anchor = (name: string): string => name.toLowerCase().replaceAll(".", "");
const deprecation = ({ deprecated }: { readonly deprecated?: string }): readonly string[] =>
  deprecated === undefined ? [] : [`**Deprecated:** ${plain(deprecated)}`];

function formerly(reference: Reference, name: string): readonly string[] {
  const old = oldNames(reference, name);
  return old.length === 0 ? [] : [`Also known by the older name ${old.map(one => `\`${one}\``).join(", ")}.`];
}

function argumentTable(entry: Parameters<typeof argumentRows>[0], title = "Argument"): readonly string[] {
  const rows = argumentRows(entry);
  if (rows.length === 0) return [];
  if (title === "Field")
    return [
      table(
        [title, "Type", ""],
        rows.map(row => [
          `\`${row.name}\``,
          `\`${row.type}\`${row.required ? "" : ", may be absent"}`,
          oneLine(plain(row.text)),
        ]),
      ),
    ];
  return [
    table(
      ["Argument", "Type", "Default", ""],
      rows.map(row => [`\`${row.name}\``, `\`${row.type}\``, initial(row), oneLine(plain(row.text))]),
    ),
  ];
}

const initial = (row: ArgumentRow): string =>
  row.required ? "required" : row.default === undefined ? "" : `\`${row.default}\``;

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, " ");
