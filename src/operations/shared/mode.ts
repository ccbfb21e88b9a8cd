/** File modes: octal digits, or what `chmod` takes. @module */
import { OperationTypeError, OperationValueError } from "../../core/errors.ts";
import type { PathStat } from "../../facts/files/index.ts";

/** The mode as `chmod` is given it: `"0644"` is `"644"`. Throws `OperationTypeError` for a number, `OperationValueError` for what is no mode. */
export function checkMode(mode: string | undefined, argument = "mode"): string | undefined {
  if (mode === undefined) return undefined;
  if (typeof mode !== "string")
    throw new OperationTypeError(
      `\`${argument}\` must be a string of octal digits such as "644", not ${JSON.stringify(mode)}`,
    );
  if (OCTAL.test(mode)) return mode;
  if (mode.split(",").every(clause => CLAUSE.test(clause))) return mode;
  throw new OperationValueError(
    `\`${argument}\` is "${mode}"; wanted are octal digits such as "644", or a change such as "u+x"`,
  );
}
const OCTAL = /^[0-7]{1,5}$/;
const CLAUSE = /^([ugoa]*)((?:[-+=](?:[rwxXst]+|[ugo]|))+)$/;

/** A local file's mode, as `chmod` is given it. */
export const digits = (mode: string): string => mode.replace(/^0(?=[0-7]{3}$)/, "");

/** Whether a path has this mode. A change such as `u+x` is there when it would change nothing. */
export function hasMode(found: PathStat, mode: string): boolean {
  const bits = Number.parseInt(found.mode, 8);
  if (OCTAL.test(mode)) return (bits & ~keptBits(found, mode)) === Number.parseInt(mode, 8);
  return mode.split(",").reduce((before, clause) => changed(before, clause, found.type === "directory"), bits) === bits;
}

/** The mode as it must be written to take effect on what is there. */
export function effectiveMode(found: PathStat | undefined, mode: string): string {
  if (!OCTAL.test(mode) || mode.length < 4) return mode;
  // Of a directory, chmod takes set-user-ID and set-group-ID away only when told with five digits.
  const clears = found?.type === "directory" && (Number.parseInt(found.mode, 8) & ID_BITS) !== 0;
  return clears ? mode.padStart(5, "0") : digits(mode);
}

/** Whether it sets a bit that a change of owner takes away. */
export const setsId = (mode: string): boolean =>
  OCTAL.test(mode) ? (Number.parseInt(mode, 8) & ID_BITS) !== 0 : /[+=][rwxX]*s/.test(mode);

const ID_BITS = 0o6000;

/** Three digits leave set-user-ID and set-group-ID of a directory as they are: that is how chmod has it. */
const keptBits = (found: PathStat, mode: string): number =>
  found.type === "directory" && mode.length <= 3 ? ID_BITS : 0;

/** Bits after one clause of a symbolic mode. Without `u`, `g`, `o` or `a` it is taken for all. */
function changed(bits: number, clause: string, isDirectory: boolean): number {
  const [, given = "", actions = ""] = CLAUSE.exec(clause) ?? [];
  const who = given === "" || given.includes("a") ? "ugo" : given;
  let result = bits;
  for (const [, operator, letters = ""] of actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)) {
    for (const one of who) {
      const mask = wanted(one, letters, result, isDirectory);
      const all = one === "u" ? 0o4700 : one === "g" ? 0o2070 : 0o0007;
      if (operator === "=") result = (result & ~(isDirectory ? all & 0o777 : all)) | mask;
      else result = operator === "+" ? result | mask : result & ~mask;
    }
  }
  return result;
}

function wanted(who: string, letters: string, bits: number, isDirectory: boolean): number {
  const shift = { u: 6, g: 3 }[who] ?? 0;
  const copied = { u: bits >> 6, g: bits >> 3, o: bits }[letters];
  if (copied !== undefined) return (copied & 7) << shift;
  let mask = 0;
  for (const letter of letters) {
    if (letter === "s") mask |= { u: 0o4000, g: 0o2000 }[who] ?? 0;
    else if (letter === "t") mask |= 0o1000;
    else if (letter !== "X" || isDirectory || (bits & 0o111) !== 0) mask |= ({ r: 4, w: 2 }[letter] ?? 1) << shift;
  }
  return mask;
}
