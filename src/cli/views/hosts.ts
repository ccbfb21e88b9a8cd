/** Many host names in little space. @module */
import { cut, oneLine, widthOf } from "./text.ts";

/** `web-1`, `web-2`, `web-3`, `db` become `web-[1-3], db`: neighbours that differ in their last number. */
export function foldHosts(names: readonly string[]): readonly string[] {
  const parts: { prefix: string; digits: number; suffix: string; from: number; to: number }[] = [];
  const folded: (string | (typeof parts)[number])[] = [];
  for (const name of names.map(oneLine)) {
    const [, prefix = "", number = "", suffix = ""] = /^(.*?)(\d+)(\D*)$/s.exec(name) ?? [];
    const last = folded.at(-1);
    const value = Number(number);
    const canFold = number !== "" && Number.isSafeInteger(value) && !name.startsWith("@");
    if (canFold && typeof last === "object" && last.prefix === prefix && last.suffix === suffix && last.to + 1 === value && digitsOf(number) === last.digits) last.to = value;
    else folded.push(canFold ? { prefix, suffix, digits: digitsOf(number), from: value, to: value } : name);
  }
  return folded.map(part => {
    if (typeof part === "string") return part;
    const number = (value: number): string => String(value).padStart(part.digits, "0");
    const range = part.from === part.to ? number(part.from) : `[${number(part.from)}-${number(part.to)}]`;
    return part.prefix + range + part.suffix;
  });
}

/** Numbers with leading zeros all have the same number of digits; others count as having none. */
const digitsOf = (number: string): number => (number.startsWith("0") && number.length > 1 ? number.length : 0);

/** Host names in at most `width` columns; what does not fit is counted. */
export function hostList(names: readonly string[], width: number): string {
  const folded = foldHosts(names);
  const whole = folded.join(", ");
  if (widthOf(whole) <= width) return whole;
  const shown: string[] = [];
  for (const part of folded) {
    const rest = `, … ${folded.length - shown.length - 1} more`;
    if (widthOf([...shown, part].join(", ") + rest) > width) break;
    shown.push(part);
  }
  const missing = folded.length - shown.length;
  return shown.length === 0 ? cut(whole, width) : `${shown.join(", ")}, … ${missing} more`;
}
