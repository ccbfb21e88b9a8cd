/** Commands as values: built with quoting by construction, rendered only at the edge. @module */
import { OperationTypeError } from "./errors.ts";
import { kindOf } from "./kind-of.ts";

/**
 * A value that must never be printed: a password, a token.
 * It renders as `***` in text, JSON, logs, diffs and errors, at any depth of quoting,
 * and becomes text only where the command is sent to the host.
 */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  /** A secret as it is, or one made of text. */
  static of(value: string | Secret): Secret {
    return value instanceof Secret ? value : new Secret(value);
  }
  /** The value itself: for a connector, never for output. */
  reveal(): string {
    return this.#value;
  }
  /** A secret made from this one, for formats that wrap it (an SQL literal, a URL). */
  map(change: (value: string) => string): Secret {
    return new Secret(change(this.#value));
  }
  toString(): string {
    return MASK;
  }
  toJSON(): string {
    return MASK;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return MASK;
  }
}
const MASK = "***";

/** Text that goes into a command unquoted. */
export class Raw {
  readonly text: string | Secret;
  constructor(text: string | Secret) {
    this.text = text;
  }
}
/** Insert text without quoting it: the one way to opt out, for text that is a constant of ours. */
export const raw = (text: string | Secret): Raw => new Raw(text);

/** A whole command that becomes one word of another, as `sh -c` wants it. */
export class Quoted {
  readonly inner: Shell;
  constructor(inner: Shell) {
    this.inner = inner;
  }
}
/** Make a whole command one word of another: ``sh`sh -c ${quoted(inner)}` ``. */
export const quoted = (inner: Shell): Quoted => new Quoted(inner);

/** What may stand in a hole of ``sh`…` ``. In a list, words are joined by spaces and `false`, `undefined` and `null` are left out. */
export type Word = string | number | Secret | Raw | Shell | Quoted | readonly (Word | false | undefined | null)[];

/**
 * Quote one POSIX shell word.
 * The same choices as Python's `shlex.quote`, so that commands compare equal with pyinfra's.
 */
export function quote(text: string): string {
  if (text === "") return "''";
  return SAFE.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
const SAFE = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * A path on the host, as one word. A leading `~/` stays bare so that the host's shell expands it.
 * A relative path that a command could take for something else gets `./`: an option (`-x`), an operator (`!`, `(`), an assignment of awk's (`a=b`).
 */
export function remotePath(path: string): Word {
  if (path.startsWith("~/")) return raw(`~/${quote(path.slice(2))}`);
  return /^(?:[-!(]|[A-Za-z_]\w*=)/.test(path) ? `./${path}` : path;
}

/** A word that its command must not take for an option: `--` goes before one with a leading dash. */
export const operand = (text: string): Word => (text.startsWith("-") ? ["--", text] : text);

/** A word in single quotes even where it needs none. */
export const singleQuoted = (text: string): Word => raw(`'${text.replaceAll("'", `'"'"'`)}'`);

/** A word in double quotes: the host's shell expands `$…` and backquotes in it, but nothing in it ends the quotes. */
export const interpolated = (text: string): Word => raw(`"${text.replace(/\\[^]|\\$|"/g, escaped)}"`);
const escaped = (found: string): string =>
  ({ '"': '\\"', "\\\n": "\\\\\n", '\\"': '\\\\\\"', "\\": "\\\\" })[found] ?? found;

/** An immutable shell command: literal parts, and words that are quoted when it is rendered. */
export class Shell {
  readonly kind = "shell";
  readonly parts: readonly string[];
  readonly words: readonly Word[];
  constructor(parts: readonly string[], words: readonly Word[]) {
    this.parts = parts;
    this.words = words;
  }
  /** True if a secret is anywhere inside. */
  get hasSecret(): boolean {
    return this.words.some(holdsSecret);
  }
  /** What the host receives. */
  wire(): string {
    return render(this, true);
  }
  /** What people see: secrets are `***`. */
  toString(): string {
    return render(this, false);
  }
  toJSON(): string {
    return this.toString();
  }
}

/** Build a command. Every hole becomes one quoted word: ``sh`rm -f ${path}` ``. */
export function sh(parts: TemplateStringsArray, ...words: Word[]): Shell {
  return new Shell(parts, words);
}

/** Several commands as one, joined by an operator such as `" && "`. */
export function joined(separator: string, commands: readonly Shell[]): Shell {
  return new Shell(["", ...commands.slice(1).map(() => separator), ""], commands);
}

/** What a command prints, as words of another one: in backquotes, or in `$(…)` where something in it would end those. */
export const substituted = (command: Shell): Shell =>
  /[`\\]/.test(command.wire()) ? sh`$(${command})` : sh`\`${command}\``;

function holdsSecret(word: Word): boolean {
  if (word instanceof Raw) return word.text instanceof Secret;
  if (word instanceof Shell) return word.hasSecret;
  if (word instanceof Quoted) return word.inner.hasSecret;
  if (word instanceof Secret) return true;
  return (
    typeof word === "object" &&
    word.some(item => item !== undefined && item !== null && item !== false && holdsSecret(item))
  );
}

function render(shell: Shell, reveal: boolean): string {
  const word = (value: Word): string => {
    if (typeof value === "string") return quote(value);
    if (typeof value === "number") return String(value);
    if (value instanceof Secret) return reveal ? quote(value.reveal()) : MASK;
    if (value instanceof Raw) return reveal && value.text instanceof Secret ? value.text.reveal() : String(value.text);
    if (value instanceof Shell) return render(value, reveal);
    if (value instanceof Quoted) return quote(render(value.inner, reveal));
    // In JavaScript a hole may hold anything: a promise that nobody awaited, for one.
    if (!Array.isArray(value)) {
      const isPromise = Object.prototype.toString.call(value) === "[object Promise]";
      throw new OperationTypeError(
        `A hole of sh\`…\` must hold text, a number, a command or a list of them, found ${isPromise ? "a promise" : kindOf(value)}`,
        isPromise ? { hint: "Put `await` before it" } : {},
      );
    }
    return value
      .filter(item => item !== undefined && item !== null && item !== false)
      .map(word)
      .join(" ");
  };
  return shell.parts.reduce((out, part, index) => out + word(shell.words[index - 1] as Word) + part);
}

/** What is uploaded: a file of the control machine, or content made here. */
export type UploadSource = { readonly path: string } | { readonly content: string | Uint8Array | Secret };

/** Put a file on the host, atomically: a temporary name in the same directory, then a rename. */
export interface Upload {
  readonly kind: "upload";
  readonly source: UploadSource;
  readonly dest: string;
  /** Octal digits (`"644"`) or what `chmod` takes. Absent: keep an existing file's mode, else the host's umask decides. */
  readonly mode?: string;
  /** Absent: keep an existing file's owner. */
  readonly user?: string;
  readonly group?: string;
}
/** Fetch a file from the host. `dest` is an absolute path on the control machine. */
export interface Download {
  readonly kind: "download";
  readonly src: string;
  readonly dest: string;
  /** Make the directories above `dest` that are missing. */
  readonly createDirectory?: boolean;
}
/** Copy a directory with rsync, where both sides have it. */
export interface Rsync {
  readonly kind: "rsync";
  readonly src: string;
  readonly dest: string;
  readonly flags: readonly string[];
}
/** Run a function of ours between commands. */
export interface FunctionCall<H = never> {
  readonly kind: "function";
  /** For output. */
  readonly name: string;
  readonly args?: readonly unknown[];
  run(host: H): unknown;
}

/** Put a file of the control machine, or content made here, at `dest` on the host. */
export const upload = (
  source: UploadSource,
  dest: string,
  attributes: Pick<Upload, "mode" | "user" | "group"> = {},
): Upload => ({
  kind: "upload",
  source,
  dest,
  ...attributes,
});
/** Fetch `src` from the host to `dest`, an absolute path on the control machine. */
export const download = (src: string, dest: string, options: Pick<Download, "createDirectory"> = {}): Download => ({
  kind: "download",
  src,
  dest,
  ...options,
});
/** Copy the directory `src` of the control machine to `dest` on the host. */
export const rsync = (src: string, dest: string, flags: readonly string[]): Rsync => ({
  kind: "rsync",
  src,
  dest,
  flags,
});
