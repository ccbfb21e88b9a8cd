/** Rendering templates of the control machine. @module */
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";
import { TemplateError } from "../core/errors.ts";
import { loadFailure } from "../core/load-error.ts";
import { locate, shown } from "../core/thrown.ts";
import { utf8 } from "../core/utf8.ts";
import { prepareModule } from "./user-modules.ts";

export type TemplateData = Readonly<Record<string, unknown>>;

/** Renders template files; those of one kind share what was compiled. */
export interface Templates {
  /** Text of a template: of a `.ts` or `.js` module, else Jinja2's. Throws `TemplateError` with file and line. */
  render(path: string, data: TemplateData, options?: TemplateData): Promise<string>;
}

/** Templates name others relative to their own directory, else to one of `directories`. */
export function createTemplates(directories: readonly string[]): Templates {
  return {
    async render(path, data, options = {}) {
      if (MODULE.test(path)) return renderModule(path, data);
      // Loaded when the first template is: most runs have none.
      const { renderJinja } = await import("./jinja.ts");
      return renderJinja({ path, text: utf8(readFileSync(path), path), directories, options }, data);
    },
  };
}
const MODULE = /\.[mc]?[jt]s$/;

async function renderModule(path: string, data: TemplateData): Promise<string> {
  await prepareModule(path);
  const loaded: { readonly default?: unknown } = await import(pathToFileURL(path).href).catch((error: unknown) => {
    const { message, at } = loadFailure(error, { file: path, source: readSource });
    throw new TemplateError(`Template ${at ? `${at.file}:${at.line}:${at.column}` : path}: ${message}`, {
      cause: error,
    });
  });
  const render = loaded.default;
  if (typeof render !== "function")
    throw new TemplateError(
      `Template ${path}: its default export is not a function that takes the data and returns the text`,
    );
  let text: unknown;
  try {
    text = await render(data);
  } catch (error) {
    const at = locate(error);
    throw new TemplateError(
      `Template ${at ? `${at.file}:${at.line}:${at.column}` : path}: ${error instanceof Error ? error.message : `it threw ${shown(error)}`}`,
      { cause: error },
    );
  }
  if (typeof text !== "string")
    throw new TemplateError(
      `Template ${path}: it returned ${text === null ? "null" : `a value of type ${typeof text}`}, not text`,
    );
  return text;
}

function readSource(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
