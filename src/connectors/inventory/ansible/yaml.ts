/** YAML as Ansible reads it, which is what PyYAML makes of YAML 1.1: `no` is false and `0644` is 420. @module */
import { isMap, isScalar, LineCounter, parseDocument, Scalar, type ScalarTag, type Tags } from "yaml";
import { type CallSite, InventoryError } from "../../../core/errors.ts";

/** Text that Ansible never renders, whatever is in it. */
export class Unsafe {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What a YAML file holds. A key that is there twice has its last value, and is told of. Throws `InventoryError` with the place of the mistake. */
export function parseYaml(text: string, file: string, warn: (message: string) => void): unknown {
  const lines = new LineCounter();
  const twice = new Set<string>();
  const document = parseDocument(text, {
    // Nothing but these tags: those of YAML 1.1 as the library has them are not PyYAML's.
    schema: "failsafe",
    customTags: failsafe => [...failsafe, ...SCALARS] as Tags,
    merge: true,
    prettyErrors: false,
    lineCounter: lines,
    uniqueKeys: (one, other) => {
      if (one instanceof Scalar && other instanceof Scalar && one.value === other.value && one.source !== "<<")
        twice.add(String(one.value));
      return false;
    },
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    const what = document.errors.length > 0 ? "is not YAML" : "has what Ansible does not know";
    throw new InventoryError(`${file} ${what}: ${problem.message}`, {
      cause: problem,
      at: { file, line: Math.max(1, line), column: Math.max(1, col) },
    });
  }
  if (twice.size > 0) warn(`${file} has ${[...twice].join(", ")} twice in a map: the last one counts`);
  // An alias is the value itself, and no copy: as many as there are cost nothing.
  return document.toJS({ maxAliasCount: -1 }) as unknown;
}

/** Where the key at the end of a path is written in a YAML or JSON file; `undefined` where it is reached by an alias. */
export function placeOfKey(text: string, file: string, path: readonly string[]): CallSite | undefined {
  const lines = new LineCounter();
  let node: unknown = parseDocument(text, { schema: "failsafe", prettyErrors: false, lineCounter: lines }).contents;
  let key: unknown;
  for (const step of path) {
    const pair = isMap(node) ? node.items.find(item => isScalar(item.key) && item.key.source === step) : undefined;
    if (pair === undefined) return undefined;
    [key, node] = [pair.key, pair.value];
  }
  if (!isScalar(key) || !key.range) return undefined;
  const { line, col } = lines.linePos(key.range[0]);
  return { file, line, column: col };
}

const plain = (name: string, test: RegExp, resolve: (text: string) => unknown): ScalarTag => ({
  tag: `tag:yaml.org,2002:${name}`,
  default: true,
  test,
  resolve,
});

/** A date is no value of its own here: host data keeps what is written, which is what a template would print. */
const SCALARS: readonly ScalarTag[] = [
  plain("null", /^(?:~|null|Null|NULL|)$/, () => null),
  plain("bool", /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/, text =>
    /^(?:y|t|on)/i.test(text),
  ),
  plain("int", /^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)$/, integer),
  plain(
    "float",
    /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
    float,
  ),
  { tag: "!vault", resolve: text => text },
  { tag: "!vault-encrypted", resolve: text => text },
  { tag: "!unsafe", resolve: text => new Unsafe(text) },
];

/** More digits than a number holds stay text: a value that is nearly what was written would be worse. */
function integer(text: string): number | string {
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[-+]|_/g, "");
  const value = digits.includes(":")
    ? sixties(digits)
    : /^0[bx]/.test(digits)
      ? Number(digits)
      : /^0./.test(digits)
        ? Number.parseInt(digits, 8)
        : Number(digits);
  return Number.isSafeInteger(value) ? sign * value : text;
}

function float(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[-+]|_/g, "").toLowerCase();
  if (digits === ".nan") return Number.NaN;
  return sign * (digits === ".inf" ? Infinity : digits.includes(":") ? sixties(digits) : Number(digits));
}

/** `1:30` is one and a half hours in minutes. */
const sixties = (digits: string): number => digits.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
