/** Paths of hosts: text with slashes, whatever system the control machine has. @module */
import { OperationTypeError, OperationValueError } from "../../core/errors.ts";

/** Everything before the last part: `/etc` of `/etc/hosts`, empty for `hosts`. */
export function dirname(path: string): string {
  const at = path.replace(/\/+$/, "").lastIndexOf("/");
  return at < 0 ? "" : path.slice(0, at).replace(/\/+$/, "") || "/";
}

/** The last part: `hosts` of `/etc/hosts`, and of `/etc/hosts/`. */
export const basename = (path: string): string => path.replace(/\/+$/, "").replace(/^[^]*\//, "");

/** Parts with one slash between them; empty ones are left out. */
export const joinPath = (...parts: readonly string[]): string =>
  parts
    .filter(part => part !== "")
    .map((part, at, all) => (at < all.length - 1 ? part.replace(/\/+$/, "") : part))
    .join("/");

/** Refuse what cannot be a path. */
export function checkPath(path: unknown, argument = "path"): void {
  if (typeof path !== "string") throw new OperationTypeError(`\`${argument}\` must be a string`);
  if (path === "") throw new OperationValueError(`\`${argument}\` must not be empty`);
  if (path.includes("\0")) throw new OperationValueError(`\`${argument}\` must not contain a NUL character`);
}
