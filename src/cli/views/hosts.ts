/** Many host names in little space. @module */
import { cut, oneLine, widthOf } from "./text.ts";

/** `web-1`, `web-2`, `web-3`, `db` become `web-[1-3], db`: neighbours that differ in their last number. */
export const foldHosts = (names: readonly string[]): readonly string[] => fold(names).map(({ text }) => text);

/** Each with the number of hosts that it stands for. */
function fold(names: readonly string[]): readonly { readonly text: string; readonly count: number }[] {
  const folded: (string | { prefix: string; digits: number; suffix: string; from: number; to: number })[] = [];
  for (const name of names.map(oneLine)) {
    const [, prefix = "", number = "", suffix = ""] = /^(.*?)(\d+)(\D*)$/s.exec(name) ?? [];
    const last = folded.at(-1);
    const value = Number(number);
    const canFold = number !== "" && Number.isSafeInteger(value) && !name.startsWith("@");
    if (
      canFold &&
      typeof last === "object" &&
      last.prefix === prefix &&
      last.suffix === suffix &&
      last.to + 1 === value &&
      digitsOf(number) === last.digits
    )
      last.to = value;
    else folded.push(canFold ? { prefix, suffix, digits: digitsOf(number), from: value, to: value } : name);
  }
  return folded.map(part => {
    if (typeof part === "string") return { text: part, count: 1 };
    const number = (value: number): string => String(value).padStart(part.digits, "0");
    const range = part.from === part.to ? number(part.from) : `[${number(part.from)}-${number(part.to)}]`;
    return { text: part.prefix + range + part.suffix, count: part.to - part.from + 1 };
  });
}

/** Numbers with leading zeros all have the same number of digits; others count as having none. */
const digitsOf = (number: string): number => (number.startsWith("0") && number.length > 1 ? number.length : 0);

/** Host names in at most `width` columns; what does not fit is counted. */
export function hostList(names: readonly string[], width: number): string {
  const folded = fold(names);
  const whole = folded.map(({ text }) => text).join(", ");
  if (widthOf(whole) <= width) return whole;
  let shown = "";
  let missing = names.length;
  for (const { text, count } of folded) {
    const longer = shown === "" ? text : `${shown}, ${text}`;
    if (widthOf(`${longer}, … ${missing - count} more`) > width) break;
    shown = longer;
    missing -= count;
  }
  if (shown !== "") return `${shown}, … ${missing} more`;
  const [first] = folded;
  // How many there are matters less than one name that is whole.
  return first && widthOf(`${first.text}, …`) <= width ? `${first.text}, …` : cut(whole, width);
}
