/** What tsinfra is made from, and the licences of it: from the installed packages, for the executable to carry. @module */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Their declarations are carried for editors. */
const TYPES = ["@types/bun", "@types/node", "bun-types", "undici-types"];
/** Bun lists what is linked into it in its own documentation, which its types bring. */
const BUN = "node_modules/bun-types/docs/project/license.mdx";

/** One text: ours first, then every package by name, then Bun. Throws where a package says nothing of its licence. */
export function thirdPartyLicences(root: string): string {
  const read = (path: string): string => readFileSync(join(root, path), "utf8").trim();
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Manifest & {
    readonly devDependencies: { readonly bun: string };
  };
  const packages = new Map<string, Package>();
  for (const name of [...Object.keys(dependencies ?? {}), ...TYPES]) collect(name, root, packages);
  const ours = read("LICENSE");
  // The words of the MIT licence, for packages that name it and leave them out.
  const mit = ours.slice(ours.indexOf("Permission is hereby granted"));
  const sorted = [...packages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  const parts = [
    part("tsinfra", ours),
    ...sorted.map(({ title, licence, texts, homepage }) => {
      if (texts.length > 0) return part(title, texts.join("\n\n"));
      if (licence === "MIT") return part(title, `MIT License. ${homepage}\n\n${mit}`);
      throw new Error(`The package ${title} brings no text of its licence (${licence})`);
    }),
    part(
      `bun ${devDependencies.bun}`,
      `MIT License. https://github.com/oven-sh/bun\n\n${mit}\n\n${read(BUN).replace(/^---\n[^]*?\n---\n+/, "")}`,
    ),
    part("LGPL 2.1, for JavaScriptCore, WebCore and tinycc in Bun", read("fixtures/licences/LGPL-2.1.txt")),
  ];
  return parts.join("\n");
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly homepage?: string;
  readonly repository?: string | { readonly url?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Package {
  /** Name and version. */
  readonly title: string;
  readonly licence: string;
  readonly texts: readonly string[];
  readonly homepage: string;
}

const part = (title: string, text: string): string =>
  `${"=".repeat(80)}\n${title}\n${"=".repeat(80)}\n\n${text.replaceAll("\r\n", "\n")}\n`;

/** A package as seen from a directory, and all that it depends on. */
function collect(name: string, from: string, found: Map<string, Package>): void {
  const directory = locate(name, from);
  const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
  const title = `${manifest.name} ${manifest.version}`;
  if (found.has(title)) return;
  const { license = "", repository } = manifest;
  const url = (typeof repository === "string" ? repository : repository?.url) ?? manifest.homepage ?? "";
  const texts = readdirSync(directory)
    .filter(file => /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i.test(file))
    .sort()
    .map(file => readFileSync(join(directory, file), "utf8").trim());
  found.set(title, { title, licence: license, texts, homepage: url.replace(/^git\+|\.git$/g, "") });
  for (const dependency of Object.keys(manifest.dependencies ?? {})) collect(dependency, directory, found);
}

/** Where a package is found from a directory, as Node looks for it. */
function locate(name: string, from: string): string {
  const here = join(from, "node_modules", name);
  if (existsSync(join(here, "package.json"))) return here;
  const above = dirname(from);
  if (above === from) throw new Error(`The package ${name} is not installed`);
  return locate(name, above);
}
