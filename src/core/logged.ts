/** Values as log lines. @module */
import { inspect } from "node:util";
import { Shell } from "./command.ts";
import { errorText } from "./thrown.ts";

/** Text as it is, anything else as `console.log` shows it; what is secret stays so. */
export function logged(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Shell) return value.toString();
  if (value instanceof Error) return errorText(value);
  try {
    return inspect(value, { depth: 4 });
  } catch {
    // An object may refuse to be looked at.
    return `a value of type ${typeof value}`;
  }
}
