/** Jinja2 templates, by nunjucks made strict: what is not defined is an error wherever it is used. @module */
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import nunjucks from "nunjucks";
import { transform } from "nunjucks/src/transformer.js";
import { TemplateError } from "../core/errors.ts";
import { utf8 } from "../core/utf8.ts";
import { JINJA_FILTERS } from "./jinja-filters.ts";

/** A template and its surroundings. */
export interface JinjaTemplate {
  readonly path: string;
  readonly text: string;
  /** Where templates that it names are looked for, after its own directory. */
  readonly directories: readonly string[];
  /** Options of Jinja2's environment, in camelCase or with underscores. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The text that a template gives. Throws `TemplateError`. */
export function renderJinja(template: JinjaTemplate, data: Readonly<Record<string, unknown>>): string {
  return new Rendering(template).render(data);
}

/** By path and options: every host renders the same few templates. */
const compiledTemplates = new Map<string, { readonly text: string; readonly template: CompiledTemplate }>();

/** One template's rendering: its environment, and the first thing that went wrong in it. */
class Rendering {
  static readonly #environments = new Map<string, StrictEnvironment>();
  /** Nothing is awaited while a template is rendered. */
  static #current: Rendering | undefined;
  readonly #template: JinjaTemplate;
  readonly #options: NunjucksOptions;
  readonly #sources = new Map<string, string>();
  #failure: TemplateError | undefined;

  constructor(template: JinjaTemplate) {
    this.#template = template;
    this.#options = nunjucksOptions(template);
  }

  render(data: Readonly<Record<string, unknown>>): string {
    const { path, text } = this.#template;
    const outer = Rendering.#current;
    Rendering.#current = this;
    try {
      return new library.Template(this.#compiled(path, text), Rendering.#environment(this.#options), path, true).render(
        data,
      );
    } catch (error) {
      throw this.#failure ?? this.#told(error);
    } finally {
      Rendering.#current = outer;
    }
  }

  /** Making one costs more than rendering a small template: those of the same options share it, and it asks whoever renders. */
  static #environment(options: NunjucksOptions): StrictEnvironment {
    const key = JSON.stringify(options);
    const known = Rendering.#environments.get(key);
    if (known) return known;
    const environment = new library.Environment(
      { getSource: name => Rendering.#current!.#load(name) },
      { ...options, autoescape: options.autoescape ?? false },
    );
    for (const [name, filter] of Object.entries(JINJA_FILTERS)) environment.addFilter(name, filter);
    environment.defined = (value, name, file, line, column) => {
      if (value === undefined)
        throw Rendering.#current!.#fail({ file, line: line + 1, column: column + 1 }, `"${name}" is undefined`);
      return value;
    };
    Rendering.#environments.set(key, environment);
    return environment;
  }

  /** A template that another one names. */
  #load(name: string): LoadedTemplate {
    const { path, directories } = this.#template;
    const found = [dirname(path), ...directories]
      .map(directory => (isAbsolute(name) ? name : join(directory, name)))
      .find(file => existsSync(file));
    if (!found) throw new Error(`There is no template "${name}"`);
    return { src: this.#compiled(found, utf8(readFileSync(found), found)), path: found, noCache: true };
  }

  #compiled(path: string, source: string): CompiledTemplate {
    const text = this.#options.keepTrailingNewline ? source : source.replace(/\r?\n$/, "");
    this.#sources.set(path, text);
    const key = `${path}\0${JSON.stringify(this.#options)}`;
    const known = compiledTemplates.get(key);
    if (known?.text === text) return known.template;
    try {
      const compiler = new StrictCompiler(path, false);
      compiler.file = path;
      compiler.compile(transform(library.parser.parse(text, [], this.#options), [], path));
      const template = { type: "code", obj: new Function(compiler.getCode())() } as const;
      compiledTemplates.set(key, { text, template });
      return template;
    } catch (error) {
      throw this.#told(error, path);
    }
  }

  /** What nunjucks threw, as a place and a reason. */
  #told(error: unknown, path = this.#template.path): TemplateError {
    if (error instanceof TemplateError) return error;
    const text = error instanceof Error ? error.message : String(error);
    const [, file = path, line, column] =
      [...text.matchAll(/\(([^()]*)\) \[Line (\d+)(?:, Column (\d+))?\]/g)].at(-1) ?? [];
    const own = isPlaced(error) ? { line: String(error.lineno), column: String(error.colno) } : { line, column };
    const reason = text
      .split("\n")
      .map(part => part.trim())
      .filter(part => part !== "" && !/^\([^()]*\)( \[Line .*\])?$/.test(part))
      .join(" ");
    return this.#fail(
      { file, line: Number(own.line ?? 1), column: Number(own.column ?? 1) },
      reason.replace(/^(?:Template render error|Error): /, "").replace(/\.$/, ""),
    );
  }

  #fail(
    { file, line, column }: { readonly file: string; readonly line: number; readonly column: number },
    reason: string,
  ): TemplateError {
    const written = this.#sources.get(file)?.split("\n")[line - 1]?.trim();
    this.#failure ??= new TemplateError(
      `Template ${file}:${line}:${column}: ${reason}`,
      written ? { hint: `That line is: ${written}` } : {},
    );
    return this.#failure;
  }
}

/** What of nunjucks is used; its published types leave out the compiler. */
interface Nunjucks {
  readonly Environment: new (loader: { getSource(name: string): LoadedTemplate }, options: object) => StrictEnvironment;
  readonly Template: new (
    source: CompiledTemplate,
    environment: StrictEnvironment,
    path: string,
    eager: boolean,
  ) => { render(data: object): string };
  readonly compiler: { readonly Compiler: new (name: string, throwOnUndefined: boolean) => Compiler };
  readonly parser: { parse(text: string, extensions: readonly object[], options: object): TemplateNode };
  installJinjaCompat(): void;
}
interface StrictEnvironment {
  addFilter(name: string, filter: (...args: never[]) => unknown): void;
  /** Called by compiled templates. */
  defined?: (value: unknown, name: string, file: string, line: number, column: number) => unknown;
}
interface CompiledTemplate {
  readonly type: "code";
  readonly obj: unknown;
}
interface LoadedTemplate {
  readonly src: CompiledTemplate;
  readonly path: string;
  readonly noCache: boolean;
}
interface TemplateNode {
  readonly lineno: number;
  readonly colno: number;
  readonly value?: unknown;
  readonly name?: TemplateNode;
  readonly left?: TemplateNode;
  readonly right?: TemplateNode;
  readonly args?: { readonly children: readonly TemplateNode[] };
  /** May be undefined: it stands before `is defined` or `| default`. */
  mayBeUndefined?: boolean;
}
declare class Compiler {
  constructor(name: string, throwOnUndefined: boolean);
  compile(node: TemplateNode): void;
  getCode(): string;
  fail(message: string, line: number, column: number): never;
  protected _emit(code: string): void;
  protected _emitLine(code: string): void;
  protected _getNodeName(node: TemplateNode): string;
  protected compileSymbol(node: TemplateNode, frame: { lookup(name: string): unknown }): void;
  protected compileLookupVal(node: TemplateNode, frame: object): void;
  protected compileFilter(node: TemplateNode, frame: object): void;
  protected compileIs(node: TemplateNode, frame: object): void;
}

const library = prepared();

function prepared(): Nunjucks {
  // Python's spellings in templates: True, None, x[1:3], d.items().
  nunjucks.installJinjaCompat();
  return nunjucks as unknown as Nunjucks;
}

/** nunjucks' compiler, except that code for a name asks first whether there is such a thing. */
class StrictCompiler extends library.compiler.Compiler {
  declare file: string;

  protected override compileSymbol(node: TemplateNode, frame: { lookup(name: string): unknown }): void {
    const isLocal = Boolean(frame.lookup(String(node.value)));
    this.#checked(node, !isLocal, () => super.compileSymbol(node, frame));
  }

  protected override compileLookupVal(node: TemplateNode, frame: object): void {
    this.#checked(node, true, () => super.compileLookupVal(node, frame));
  }

  protected override compileFilter(node: TemplateNode, frame: object): void {
    const first = node.args?.children[0];
    if (first && ["default", "d"].includes(String(node.name?.value))) first.mayBeUndefined = true;
    this._emit(`(lineno = ${node.lineno}, colno = ${node.colno}, `);
    super.compileFilter(node, frame);
    this._emit(")");
  }

  protected override compileIs(node: TemplateNode, frame: object): void {
    if (node.left && ["defined", "undefined"].includes(String(node.right?.value))) node.left.mayBeUndefined = true;
    super.compileIs(node, frame);
  }

  /** nunjucks counts lines from 0 but reports them as if it counted from 1. */
  protected override _emitLine(code: string): void {
    super._emitLine(
      code.replace("runtime.handleError(e, lineno, colno)", "runtime.handleError(e, lineno + 1, colno + 1)"),
    );
  }

  #checked(node: TemplateNode, wanted: boolean, emit: () => void): void {
    if (!wanted || node.mayBeUndefined) return emit();
    this._emit("env.defined(");
    emit();
    const name = this._getNodeName(node).replace(/\["(\w+)"\]/g, ".$1");
    this._emit(`, ${JSON.stringify(name)}, ${JSON.stringify(this.file)}, ${node.lineno}, ${node.colno})`);
  }
}

interface NunjucksOptions {
  readonly trimBlocks?: boolean;
  readonly lstripBlocks?: boolean;
  readonly autoescape?: boolean;
  readonly keepTrailingNewline: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

const FLAGS = ["trimBlocks", "lstripBlocks", "autoescape", "keepTrailingNewline"];
const TAGS: Readonly<Record<string, string>> = {
  blockStartString: "blockStart",
  blockEndString: "blockEnd",
  variableStartString: "variableStart",
  variableEndString: "variableEnd",
  commentStartString: "commentStart",
  commentEndString: "commentEnd",
};

function nunjucksOptions({ path, options }: JinjaTemplate): NunjucksOptions {
  const flags: Record<string, boolean> = { keepTrailingNewline: true };
  const tags: Record<string, string> = {};
  for (const [given, value] of Object.entries(options)) {
    const name = given.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const tag = TAGS[name];
    if (FLAGS.includes(name) && typeof value === "boolean") flags[name] = value;
    else if (tag && typeof value === "string") tags[tag] = value;
    else
      throw new TemplateError(`Template ${path}: "${given}" is no option with that kind of value`, {
        hint: `Options are ${[...FLAGS, ...Object.keys(TAGS)].join(", ")}`,
      });
  }
  return { keepTrailingNewline: true, ...flags, tags };
}

const isPlaced = (error: unknown): error is { readonly lineno: number; readonly colno: number } =>
  typeof error === "object" &&
  error !== null &&
  "lineno" in error &&
  typeof error.lineno === "number" &&
  error.lineno > 0 &&
  "colno" in error;
