/** What a deploy file must be to be run. Pure: `check` asks the same. @module */
import { type CallSite, DeployLoadError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { withoutComments } from "../core/load-error.ts";
import type { Wrapped } from "./wrap.ts";

/** A deploy file, read. */
export interface DeployFile {
  /** Absolute path. */
  readonly path: string;
  readonly source: string;
}

/** A default export that can be called; throws a `DeployLoadError` that says what else it is. */
export function asDeploy(exported: unknown, { path, source }: DeployFile): (host?: unknown) => unknown {
  const kind = kindOf(exported);
  if (kind === "a function" || kind === "an async function") return exported as (host?: unknown) => unknown;
  throw new DeployLoadError(`The default export of a deploy file must be a function, ${path} exports ${kind}`, {
    at: siteOf(path, source, /\bexport\s*(?:default\b|=|\{[^}]*\bdefault\b)|\bmodule\s*\.\s*exports\b/),
    hint:
      kind === "a promise"
        ? "Export the function itself, without calling it"
        : "Write export default async () => { … }",
  });
}

/** A file that exports and does nothing else would run, and change nothing, without a word. */
export function refuseIdle({ onlyExports, hasDefinitions }: Wrapped, { path, source }: DeployFile): void {
  if (onlyExports.length === 0) return;
  const [, whole] = onlyExports.map(name => /^\* from (.+)$/.exec(name)).find(match => match !== null) ?? [];
  throw new DeployLoadError(
    `There is nothing to run in ${path}: it exports ${onlyExports.join(", ")}, ${hasDefinitions ? "and calls nothing" : "but no default function"}`,
    {
      at: siteOf(path, source, /\bexport\b/),
      hint: hasDefinitions
        ? "What `deploy` and `operation` make runs only where it is called: import it in a deploy file, and call it there"
        : whole === undefined
          ? "Write export default before the function that is the deploy, or call it"
          : `What is exported by * leaves out the default: write export { default } from ${whole}`,
    },
  );
}

/** The top level of a file with a default export, or with that of CommonJS, is evaluated once, for no host. */
export function hintBesideDefault({ line, column }: CallSite, source: string): string {
  const code = withoutComments(source);
  if (!/\bdefault\b/.test(code) && COMMON_EXPORTS.test(code))
    return "`module.exports` makes it a CommonJS module, which is run once, when the file is loaded: leave it out, or write export default async () => { … }";
  const before = source.split("\n").slice(0, line).join("\n");
  const leading = before.slice(0, before.lastIndexOf("\n") + column);
  return /\bexport\s+default\s+(?:await\s+)?[\w$.\s]*$/.test(leading)
    ? "What is exported by default must be a function: leave out `export default`, or write export default async () => { … }"
    : "What stands beside a default function is run once, when the file is loaded: move it into that function";
}

/** `export =` is the same in TypeScript. */
const COMMON_EXPORTS = /\bmodule\s*\.\s*exports\b|\bexport\s*=/;

/** The first place of a pattern outside of comments. */
function siteOf(path: string, source: string, pattern: RegExp): CallSite {
  const before = source.slice(0, Math.max(0, withoutComments(source).search(pattern))).split("\n");
  return { file: path, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
