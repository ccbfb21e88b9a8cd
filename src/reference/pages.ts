/** What pages about operations and facts have in common, on paper and on a terminal. @module */
import type { ArgumentReference, FactReference, OperationReference, Reference, ValueType } from "./model.ts";
import { briefType } from "./type-text.ts";

/** One line of a table of arguments; fields of objects have lines of their own, as `ports[].target`. */
export interface ArgumentRow {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default?: string;
  readonly text: string;
}

/** Arguments as they are looked for: by position, required, then the others; each followed by its fields. */
export function argumentRows(entry: {
  readonly arguments: readonly ArgumentReference[];
  readonly positional?: readonly string[];
}): readonly ArgumentRow[] {
  const { positional = [] } = entry;
  const rank = ({ name, required }: ArgumentReference): number =>
    positional.includes(name) ? positional.indexOf(name) : positional.length + (required ? 0 : 1);
  return [...entry.arguments].sort((a, b) => rank(a) - rank(b)).flatMap(argument => rowsOf(argument, ""));
}

function rowsOf(argument: ArgumentReference, prefix: string): readonly ArgumentRow[] {
  const { name, type, required, text, fields = [] } = argument;
  const path = `${prefix}${name}`;
  const row = {
    name: path,
    type: fields.length > 0 ? briefType(type) : argument.typeText,
    required,
    text,
    ...(argument.default === undefined ? {} : { default: argument.default }),
  };
  return [row, ...fields.flatMap(field => rowsOf(field, `${path}${memberOf(type)}.`))];
}

/** How the objects in a type are reached: `[]` in a list, `.*` in a map. */
function memberOf(type: ValueType): string {
  if (typeof type === "string" || "is" in type || "fields" in type || "tuple" in type) return "";
  if ("list" in type) return `[]${memberOf(type.list)}`;
  if ("map" in type) return `.*${memberOf(type.map)}`;
  return type.any.map(memberOf).find(member => member !== "") ?? "";
}

/** Whether running it again changes something. */
export const idempotence = ({ idempotent }: OperationReference): string =>
  idempotent === true ? "Idempotent: a second run changes nothing." : `Not idempotent: ${sentence(idempotent)}`;

/** On which systems our tests run it. */
export const tested = ({ testedOn }: OperationReference): string =>
  testedOn.length > 0 ? `Tested on: ${testedOn.join(", ")}.` : "Not run on a real system by our tests.";

const sentence = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1).replace(/\.$/, "")}.`;

/** How a fact is asked for in a deploy file. */
export function factExample({ name, module, arguments: all }: FactReference): string {
  const short = name.slice(module.length + 1);
  const [top = module, ...inner] = module.split(".");
  const given = all.filter(argument => argument.required).map(argument => `${argument.name}: ${sample(argument.type)}`);
  const asked = [...inner, short].join(".");
  return `import { ${inner[0] ?? short} } from "tsinfra/facts/${top}";\n\nconst answer = await host.getFact(${asked}${given.length > 0 ? `, { ${given.join(", ")} }` : ""});`;
}

function sample(type: ValueType): string {
  if (typeof type === "object" && "any" in type) return sample(type.any[0] ?? "string");
  if (typeof type === "object" && "is" in type) return JSON.stringify(type.is[0]);
  if (typeof type === "object" && "list" in type) return `[${sample(type.list)}]`;
  if (type === "number") return "1";
  return type === "boolean" ? "true" : '"…"';
}

/** The old names that now lead to this one. */
export const oldNames = ({ aliases }: Reference, name: string): readonly string[] =>
  Object.entries(aliases).flatMap(([old, now]) => (now === name ? [old] : []));

/** TSDoc as plain Markdown. */
export const plain = (text: string): string =>
  text.replace(/\{@link\s+([^}\s|]+)(?:\s*\|?\s*([^}]*))?\}/g, (_, target: string, label: string) =>
    label ? label : `\`${target}\``,
  );

/** The first sentence of a text, in one line. */
export const firstSentence = (text: string): string =>
  (/^.*?[.!?](?=\s|$)/s.exec(plain(text))?.[0] ?? plain(text)).replace(/\s*\n\s*/g, " ");
