/** Colors. @module */
import * as util from "node:util";

/** The installed types of Node are older than this function. */
const { styleText } = util as unknown as {
  styleText(format: string | readonly string[], text: string, options: { readonly validateStream: boolean }): string;
};

/** What a piece of text is, for its color. */
export type Tone = "heading" | "ok" | "change" | "fail" | "warn" | "dim" | "name" | "added" | "removed";

/** Color a text, or leave it as it is. */
export type Paint = (tone: Tone, text: string) => string;

const STYLES: Readonly<Record<Tone, string | readonly string[]>> = {
  heading: "bold",
  ok: "green",
  change: "yellow",
  fail: ["bold", "red"],
  warn: "yellow",
  dim: "dim",
  name: "cyan",
  added: "green",
  removed: "red",
};

export const noPaint: Paint = (_, text) => text;
export const colorPaint: Paint = (tone, text) =>
  text === "" ? "" : styleText(STYLES[tone], text, { validateStream: false });

/** Whether to color: `--no-color`, then NO_COLOR, then FORCE_COLOR, then whether it is a terminal. */
export function wantsColor(
  noColor: boolean,
  environment: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  if (noColor || (NO_COLOR !== undefined && NO_COLOR !== "")) return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTerminal && TERM !== "dumb";
}
