/** What an operation is called in output where its call gives it no name. @module */
import { Secret } from "../../core/command.ts";
import { kindOf } from "../../core/kind.ts";
import type { Operation } from "../../core/operation.ts";

/** `apt.packages (packages=vim, update=true)`, short enough for a line. */
export function autoName(
  { name: operation, conditions }: Pick<Operation<never>, "name" | "conditions">,
  args: object,
): string {
  const shown = Object.entries(args).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (conditions?.[name] && typeof value === "function") return [`${name}=conditional`];
    return [`${name}=${SENSITIVE.test(name) ? "***" : brief(value)}`];
  });
  const text = shown.join(", ");
  return text === ""
    ? operation
    : `${operation} (${text.length > NAME_WIDTH ? `${text.slice(0, NAME_WIDTH - 1)}…` : text})`;
}
const NAME_WIDTH = 60;
const SENSITIVE = /password|secret|token|passphrase/i;

function brief(value: unknown): string {
  if (typeof value === "function") return value.name || "function";
  if (value instanceof Secret) return "***";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(brief).join(" ");
  if (typeof value !== "object" || value === null) return String(value).replaceAll("\n", "⏎");
  return textOf(value) ?? jsonOf(value);
}

/** What an object says of itself: many have no words of their own, and those of some cannot be had. */
function textOf(value: object): string | undefined {
  try {
    const text = String(value);
    return text === "[object Object]" ? undefined : text;
  } catch {
    return undefined;
  }
}

function jsonOf(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    return kindOf(value);
  }
}
