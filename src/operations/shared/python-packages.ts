/** Python's way to ask for packages: names, extras, versions. @module */
import type { OperationHost } from "../../core/host.ts";
import { type Packages, packagesOf } from "../../facts/shared/packages.ts";
import type { WantedPackage } from "./packages.ts";

/** Packages as users name them: `Flask`, `uvicorn[standard]>=0.30`, `tool @ https://…`. What cannot be read is taken as a name, with a warning. */
export function pythonPackages(host: OperationHost, packages: string | readonly string[]): readonly WantedPackage[] {
  return [packages].flat().map(text => {
    const wanted = parseRequirement(text);
    if (!wanted) host.warn(`Not a Python requirement, taken as the name of a package: "${text}"`);
    return wanted ?? { name: text, key: packageKey(text), word: text };
  });
}

/** Installed packages by the name that all spellings of it share. */
export const byPackageKey = (installed: Packages): Packages =>
  packagesOf(
    Object.entries(installed).flatMap(([name, versions]) =>
      versions.map(version => [packageKey(name), version] as const),
    ),
  );

const packageKey = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");

const REQUIREMENT =
  /^([A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|\(?([^;()@]*)\)?)\s*(?:;\s*(.+))?$/i;
const SPECIFIER = /^(===|==|~=|!=|<=|>=|<|>)\s*(\S+)$/;

/** Read a requirement of PEP 508, with one specifier or several. */
export function parseRequirement(text: string): WantedPackage | undefined {
  const [, name, extras, url, list = "", marker] = REQUIREMENT.exec(text.trim()) ?? [];
  if (name === undefined) return undefined;
  const specifiers = list.split(",").flatMap(part => (part.trim() === "" ? [] : [SPECIFIER.exec(part.trim())]));
  if (specifiers.some(found => found === null)) return undefined;
  const checks = specifiers.map(found => ({ operator: found?.[1] ?? "", version: found?.[2] ?? "" }));
  const lower = name.toLowerCase();
  const version = checks.map(({ operator, version: wanted }) => `${operator}${wanted}`).join(",");
  const word =
    url ??
    `${lower}${extras === undefined ? "" : `[${extras.replace(/\s/g, "")}]`}${version}${marker === undefined ? "" : `; ${marker}`}`;
  const accepts = (installed: string) => checks.every(check => satisfies(installed, check.operator, check.version));
  return { name: lower, key: packageKey(name), word, ...(checks.length > 0 ? { accepts } : {}) };
}

function satisfies(installed: string, operator: string, wanted: string): boolean {
  if (operator === "===") return installed === wanted;
  const prefix = /^(.*)\.\*$/.exec(wanted)?.[1];
  if (prefix !== undefined)
    return (compareVersions(release(installed, prefix.split(".").length), prefix) === 0) === (operator === "==");
  const order = compareVersions(installed, wanted);
  // What is no version can only be the same or another.
  if (order === undefined)
    return (installed === wanted) === (operator !== "!=" && operator !== "<" && operator !== ">");
  switch (operator) {
    case "==":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<=":
      return order <= 0;
    case "<":
      return order < 0;
    case ">=":
      return order >= 0;
    case ">":
      return order > 0;
    default: {
      // ~=1.4.2 is at least that, and some 1.4.
      const family = wanted
        .replace(/[^\d.].*/, "")
        .split(".")
        .slice(0, -1);
      return order >= 0 && compareVersions(release(installed, family.length), family.join(".")) === 0;
    }
  }
}

const release = (version: string, parts: number): string => {
  const numbers = version
    .replace(/^\d+!/, "")
    .replace(/[^\d.].*/, "")
    .split(".");
  return Array.from({ length: parts }, (_, index) => numbers[index] || "0").join(".");
};

const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[._-]?(a|b|c|rc|alpha|beta|pre|preview)[._-]?(\d*))?(?:-(\d+)|[._-]?(?:post|rev|r)[._-]?(\d*))?(?:[._-]?dev[._-]?(\d*))?(?:\+.*)?$/i;
const STAGES: Readonly<Record<string, number>> = { a: 0, alpha: 0, b: 1, beta: 1, c: 2, rc: 2, pre: 2, preview: 2 };

/** Which of two versions of PEP 440 comes first: negative, zero or positive; `undefined` where one is no version. */
export function compareVersions(one: string, other: string): number | undefined {
  const [left, right] = [versionKey(one), versionKey(other)];
  if (!left || !right) return undefined;
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/** Epoch, stage, post and dev release around the numbers, which are padded so that 1.0 is 1.0.0. */
function versionKey(version: string): readonly number[] | undefined {
  const found = VERSION.exec(version.trim());
  if (!found) return undefined;
  const [, epoch = "0", numbers = "", stage, stageNumber, post, postWord, dev] = found;
  const parts = numbers.split(".").map(Number);
  const padded = Array.from({ length: Math.max(PARTS, parts.length) }, (_, index) => parts[index] ?? 0);
  const postNumber = post ?? postWord;
  // A dev release without more comes before the first alpha.
  const order =
    stage !== undefined ? (STAGES[stage.toLowerCase()] ?? 0) : dev !== undefined && postNumber === undefined ? -1 : 3;
  return [
    Number(epoch),
    ...padded,
    order,
    Number(stageNumber || 0),
    postNumber === undefined ? -1 : Number(postNumber || 0),
    dev === undefined ? Number.MAX_SAFE_INTEGER : Number(dev || 0),
  ];
}
const PARTS = 8;
