import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, normalize } from "node:path";
import { ROOT } from "./sources.ts";

/** A page for people who work on tsinfra. */
interface Page {
  readonly path: string;
  /** Without its fences. */
  readonly prose: string;
  readonly fences: readonly Fence[];
}
interface Fence {
  readonly language: string;
  readonly code: string;
  /** The file that it is, or belongs into, as its first line says. */
  readonly file: string | undefined;
  /** It is only some lines of the file. */
  readonly isPart: boolean;
}

const PAGES = [...readdirSync(join(ROOT, "docs")).map(name => `docs/${name}`), "patches/README.md"]
  .filter(path => path.endsWith(".md"))
  .map(readPage);
const SCRIPTS = (JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> }).scripts;

for (const { path, prose, fences } of PAGES)
  describe(path, () => {
    const own = new Set(fences.flatMap(({ file }) => file ?? []));

    test("names files and folders that are there", () => {
      const missing = paragraphsOf(prose).flatMap(paragraph => {
        const named = [...paragraph.matchAll(/`([^`\s]+)`/g)].flatMap(([, text = ""]) => (isPath(text) ? [text] : []));
        // In a sentence about a folder, files are called by their names alone.
        const folders = ["", "node_modules/ssh2", ...named.map(name => (name.endsWith("/") ? name : dirname(name)))];
        const isMade = (name: string): boolean => own.has(name) || name.startsWith("dist/");
        return named.filter(name => !isMade(name) && !folders.some(folder => existsSync(join(ROOT, folder, name))));
      });
      expect(missing).toEqual([]);
    });

    test("names scripts of package.json", () => {
      const named = [...read(path).matchAll(/\bnpm (?:run ([\w:]+)|(test)\b)/g)].map(([, name, test]) => name ?? test);
      expect(named.filter(name => !Object.hasOwn(SCRIPTS, name ?? ""))).toEqual([]);
    });

    test("links to what is there", () => {
      const broken = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
        if (/^https?:/.test(link)) return [];
        const [file = "", anchor] = link.split("#");
        const target = file === "" ? path : normalize(join(dirname(path), file));
        if (!existsSync(join(ROOT, target))) return [link];
        return anchor === undefined || anchorsOf(read(target)).includes(anchor) ? [] : [link];
      });
      expect(broken).toEqual([]);
    });

    test("has its TypeScript in files that it names", () => {
      expect(fences.filter(({ language, file }) => language === "ts" && file === undefined)).toEqual([]);
    });
  });

const scratch: string[] = [];
afterAll(() => scratch.forEach(directory => rmSync(directory, { recursive: true, force: true })));

test("who follows docs/contributing.md gets what it promises", () => {
  const copy = mkdtempSync(join(tmpdir(), "tsinfra-recipe-"));
  scratch.push(copy);
  for (const name of [".ci", "src", "tests", "fixtures", "README.md", "build.ts", "package.json", "bun.lock"])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  for (const name of ["tsconfig.json", "bunfig.toml", ".prettierignore"]) cpSync(join(ROOT, name), join(copy, name));
  sh(copy, `ln -s ${join(ROOT, "node_modules")} node_modules`);
  const { fences } = readPage("docs/contributing.md");
  for (const { file, code, isPart } of fences) {
    if (file === undefined) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), isPart ? inPlace(read(file), code) : code);
  }
  for (const { language, code } of fences) {
    if (language !== "sh") continue;
    const followed = sh(copy, `set -e\n${code}`);
    expect(followed.exitCode, `${code}\n${followed.output}`).toBe(0);
  }
  // It is laid out as the formatter has it.
  for (const { file, code, isPart } of fences)
    if (file !== undefined && !isPart) expect(readFileSync(join(copy, file), "utf8")).toBe(code);
}, 300_000);

/** Run lines in a directory in which `npm run` and `npm test` mean the Bun that runs this. */
function sh(cwd: string, script: string): { readonly exitCode: number; readonly output: string } {
  const programs = mkdtempSync(join(tmpdir(), "tsinfra-npm-"));
  scratch.push(programs);
  const arms = Object.entries(SCRIPTS).map(([name, line]) => {
    const words = line.replace("node .ci/bun.mjs", `"${process.execPath}"`);
    return `${name}) [ "$1" = -- ] && shift; exec ${words} "$@" ;;`;
  });
  writeFileSync(
    join(programs, "npm"),
    `#!/bin/sh\n[ "$1" = run ] && shift\nscript=$1; shift\ncase $script in\n${arms.join("\n")}\nesac\nexit 127\n`,
    { mode: 0o755 },
  );
  const env = { ...process.env, PATH: `${programs}${delimiter}${process.env["PATH"] ?? ""}` };
  const ran = Bun.spawnSync(["sh", "-c", script], { cwd, env, stdin: "ignore" });
  return { exitCode: ran.exitCode, output: `${ran.stdout.toString()}${ran.stderr.toString()}` };
}

/** A list of exports with some more, sorted. */
const inPlace = (text: string, more: string): string =>
  `${[...text.trim().split("\n"), ...more.trim().split("\n")].sort().join("\n")}\n`;

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

function readPage(path: string): Page {
  const fences: Fence[] = [];
  const prose = read(path).replace(/^```(\w*)\n([^]*?)^```$/gm, (_, language: string, text: string) => {
    const [, file, isPart] = (language === "ts" && /^\/\/ ([\w./-]+?)(:.*)?\n/.exec(text)) || [];
    fences.push({
      language,
      file,
      isPart: isPart !== undefined,
      code: file === undefined ? text : text.slice(text.indexOf("\n") + 1),
    });
    return "";
  });
  return { path, prose, fences };
}

/** Paragraphs, rows of tables and items of lists. */
const paragraphsOf = (prose: string): readonly string[] => prose.split(/\n\s*\n|\n(?=\||[-*] |\d+\. )/);

/** A path of the repository: with a folder, or a file that stands at its top. */
const isPath = (text: string): boolean =>
  /^\.?[\w-][\w.@-]*(?:\/[\w.@-]+)+\/?$/.test(text) ||
  /^[\w-]+\/$/.test(text) ||
  /^[\w-]+\.(?:json|md|ts|lock|toml)$/.test(text);

/** The names that the headings of a page have in links. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .trim()
      .replaceAll(" ", "-"),
  );
