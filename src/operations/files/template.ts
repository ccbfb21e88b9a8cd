import { Secret } from "../../core/command.ts";
import { LocalFileError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import type { AttributeArguments } from "../shared/attributes.ts";
import { anticipateUpload } from "../shared/content.ts";
import { expose } from "../shared/expose.ts";
import { checkPath } from "../shared/paths.ts";
import { put } from "./put.ts";

/** What `files.template` takes. */
export interface TemplateArguments extends AttributeArguments {
  /** Path of the local template, relative to the deploy file's directory: Jinja2 text, or a `.ts` or `.js` file whose default export takes the data and returns the text. */
  readonly src: string;
  /** Path on the host. */
  readonly dest: string;
  /** What the template may name, beside `host` with its `name`, `groups` and `data`. A name that it does not find is an error with the template's line. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Make the directory it lies in, with the same owner; default true. */
  readonly createRemoteDir?: boolean;
  /** Options of Jinja2's environment: `trimBlocks`, `lstripBlocks`, `variableStartString` and the like. */
  readonly jinjaEnvKwargs?: Readonly<Record<string, unknown>>;
}

/**
 * Render a template and upload the text, if the host has not the same already.
 * The text is a secret as soon as the template reads one from the data.
 * @example files.template({ src: "templates/site.conf.j2", dest: "/etc/nginx/conf.d/site.conf", data: { port: 8080 } });
 */
export const template = operation<TemplateArguments>({
  name: "files.template",
  changes: "what it names",
  positional: ["src", "dest"],
  async *steps(host, { src, dest, data = {}, jinjaEnvKwargs, ...args }) {
    checkPath(src, "src");
    anticipateUpload(host, dest);
    const content = await renderTemplate(host, src, data, jinjaEnvKwargs);
    yield* put.steps(host, { ...args, content, dest });
  },
});

/** The text of a template; a secret if it read one. Throws `LocalFileError` and `TemplateError`. */
export async function renderTemplate(
  host: OperationHost,
  src: string,
  data: Readonly<Record<string, unknown>>,
  options?: Readonly<Record<string, unknown>>,
): Promise<string | Secret> {
  const path = host.local.resolve(src);
  const local = await host.local.stat(path);
  if (!local) throw new LocalFileError(`No such file: ${path}`);
  if (local.type !== "file") throw new LocalFileError(`Not a file: ${path} is a ${local.type}`);
  const exposed = expose({ host: { name: host.name, groups: host.groups, data: { ...host.data } }, ...data });
  const text = await host.local.render(path, exposed.data, options);
  return exposed.usedSecret() ? new Secret(text) : text;
}
