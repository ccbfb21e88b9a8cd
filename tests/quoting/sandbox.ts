/** A place where shell text can be run without harm: a root directory with nothing but a shell and stand-ins that write down how they were called. @module */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** One program that was started, and with what. */
export interface Started {
  readonly program: string;
  readonly args: readonly string[];
}

/** What running one text did. */
export interface Ran {
  readonly started: readonly Started[];
  readonly stderr: string;
}

/** A text to run; `fails`: every stand-in ends with 1, so that what comes after `||` runs. */
export interface Text {
  readonly text: string;
  readonly fails?: boolean;
}

export type ShellName = "dash" | "busybox";

/** Whether a sandbox can be made here; says why not. */
export function sandboxProblem(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can chroot";
  if (!Bun.which("busybox")) return "there is no busybox";
  return existsSync("/bin/dash") ? undefined : "there is no dash";
}

/** A sandbox whose programs are `programs`: names, and absolute paths. */
export class Sandbox {
  readonly #root = mkdtempSync(join(tmpdir(), "quoting-"));
  #batches = 0;

  constructor(programs: Iterable<string>, directories: Iterable<string>) {
    for (const directory of [...DIRECTORIES, ...directories])
      mkdirSync(join(this.#root, directory), { recursive: true });
    // Every user of the sandbox writes here; nothing else of it is of interest.
    chmodSync(join(this.#root, "log"), 0o777);
    copyFileSync("/bin/dash", join(this.#root, "shell/dash"));
    copyFileSync("/bin/sed", join(this.#root, "shell/sed"));
    copyFileSync(Bun.which("busybox") ?? "", join(this.#root, "shell/busybox"));
    for (const library of new Set(["/bin/dash", "/bin/sed"].flatMap(librariesOf))) {
      mkdirSync(join(this.#root, dirname(library)), { recursive: true });
      copyFileSync(library, join(this.#root, library));
    }
    this.#write("bin/.stand-in", STAND_IN, 0o755);
    this.#write("bin/.shell", SHELL_STAND_IN, 0o755);
    this.#write("bin/.filter", FILTER_STAND_IN, 0o755);
    this.#write("work/GLOBBED", "");
    this.#write("dev/null", "", 0o666);
    const names = new Set([...programs, ...SHELLS, ...FILTERS, ...ALWAYS]);
    for (const name of names) {
      const path = name.startsWith("/") ? name : `/bin/${name}`;
      mkdirSync(join(this.#root, dirname(path)), { recursive: true });
      if (!existsSync(join(this.#root, path)))
        symlinkSync(
          SHELLS.has(basename(name)) ? "/bin/.shell" : FILTERS.has(basename(name)) ? "/bin/.filter" : "/bin/.stand-in",
          join(this.#root, path),
        );
    }
    // Functions take no process, where the name may be one of a function and a later shell does not need the program.
    const functions = [...names].filter(
      name => /^[A-Za-z_]\w*$/.test(name) && !NO_FUNCTIONS.has(name) && !SHELLS.has(name) && !FILTERS.has(name),
    );
    this.#write(
      "functions",
      [RECORD, ...functions.map(name => `${name}() { _record ${name} "$@"; return $S; }`), CD].join("\n"),
    );
  }

  /** Run each text in a shell of its own, many to a process. */
  async run(texts: readonly Text[], shell: ShellName): Promise<readonly Ran[]> {
    const batch = `b${this.#batches++}`;
    const lines = texts.map(({ text, fails = false }, index) => {
      this.#write(`texts/${batch}.${index}`, text);
      // What is left running would write into the next one's output.
      return `( N=${index} S=${fails ? 1 : 0}; export N S; . /texts/${batch}.${index}; wait )`;
    });
    const log = `log/${batch}`;
    const mark = lines.map(
      (line, index) =>
        `command echo "@@${index}" >&2\n${line}\n[ -z "$P" ] && [ -e PWNED ] && P=1 && N=${index} && _record PWNED`,
    );
    this.#write(`texts/${batch}`, [`L=/${log}; export L`, "cd /work", ". /functions", ...mark].join("\n"));
    const argv = shell === "dash" ? ["/shell/dash"] : ["/shell/busybox", "sh"];
    const child = Bun.spawn([Bun.which("chroot") ?? "chroot", this.#root, ...argv, `/texts/${batch}`], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      env: { PATH: "/bin", HOME: "/HOMEEXPANDED" },
      timeout: 60_000,
      killSignal: "SIGKILL",
    });
    const stderr = await child.stderr.text();
    await child.exited;
    rmSync(join(this.#root, "work/PWNED"), { force: true });
    if (child.signalCode) throw new Error(`The shell of ${texts.length} texts did not end: ${stderr.slice(-500)}`);
    const started = readLog(join(this.#root, log));
    const errors = new Map(
      stderr
        .split(/^@@(?=\d+$)/m)
        .slice(1)
        .map(part => [Number(part.split("\n", 1)[0]), part.slice(part.indexOf("\n") + 1)]),
    );
    return texts.map((_, index) => ({ started: started.get(index) ?? [], stderr: errors.get(index) ?? "" }));
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #write(path: string, content: string, mode = 0o644): void {
    writeFileSync(join(this.#root, path), content, { mode });
  }
}

const DIRECTORIES = ["bin", "shell", "log", "texts", "work", "tmp", "etc", "dev", "var/lib", "usr/bin", "HOMEEXPANDED"];
/** Programs that run a text which they are given: what they are told to run is run. */
const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "su", "ssh"]);
/** Programs that can run others, if a script tells them: they get a line to work on. */
const FILTERS: ReadonlySet<string> = new Set(["sed", "awk"]);
const ALWAYS = ["touch", "true", "false", "rm"];
/** What a shell does itself, and must go on doing. */
const NO_FUNCTIONS = new Set([
  "if",
  "then",
  "else",
  "elif",
  "fi",
  "do",
  "done",
  "while",
  "until",
  "for",
  "in",
  "case",
  "esac",
  "test",
  "command",
  "exec",
  "eval",
  "export",
  "set",
  "unset",
  "shift",
  "read",
  "exit",
  "return",
  "trap",
  "local",
  "break",
  "continue",
  "true",
  "false",
  "umask",
  "wait",
  "type",
  "alias",
  "cd",
  "times",
  "readonly",
  "function",
  "select",
  "time",
]);

const RECORD = `_record() { command printf '%s\\0' "$N" "$#" "$@" >>"$L"; }`;
const CD = `cd() { _record cd "$@"; return $S; }\necho() { _record echo "$@"; command printf '%s\\n' "$*"; }\nprintf() { _record printf "$@"; command printf "$@"; }`;
const STAND_IN = `#!/shell/dash\nprintf '%s\\0' "$N" $(($# + 1)) "\${0##*/}" "$@" >>"$L"\nexit $S\n`;
/** \`sh -c TEXT\`, \`su USER -c TEXT\`, \`ssh HOST TEXT…\`: the text is run. */
const SHELL_STAND_IN = `#!/shell/dash
. /functions
_record "\${0##*/}" "$@"
case \${0##*/} in
ssh) while [ $# -gt 0 ]; do case $1 in -[poilF]) shift 2 ;; -*) shift ;; *) break ;; esac; done; shift; text="$*" ;;
*) text=; while [ $# -gt 0 ]; do case $1 in -c|-ec|-lc) text=$2; shift 2; break ;; *) shift ;; esac; done; [ $# -gt 0 ] && shift ;;
esac
eval "$text"
wait
exit $S
`;

const FILTER_STAND_IN = `#!/shell/dash
. /functions
_record "\${0##*/}" "$@"
while [ $# -gt 0 ]; do case $1 in -v) shift 2 ;; -*) shift ;; *) break ;; esac; done
case \${0##*/} in
sed) set -- /shell/sed "$1" ;;
*) set -- /shell/busybox awk "$1" ;;
esac
"$@" >/dev/null 2>&1 <<END
a line
END
exit $S
`;

function readLog(file: string): ReadonlyMap<number, readonly Started[]> {
  const found = new Map<number, Started[]>();
  if (!existsSync(file)) return found;
  const fields = readFileSync(file, "utf8").split("\0");
  for (let at = 0; at + 1 < fields.length;) {
    const [index, count] = [Number(fields[at]), Number(fields[at + 1])];
    if (!Number.isInteger(count) || count < 1)
      throw new Error(`The log cannot be read at ${JSON.stringify(fields.slice(at, at + 6))}`);
    const [program = "", ...args] = fields.slice(at + 2, at + 2 + count);
    found.set(index, [...(found.get(index) ?? []), { program, args }]);
    at += 2 + count;
  }
  return found;
}

const librariesOf = (program: string): readonly string[] =>
  Bun.spawnSync(["ldd", program])
    .stdout.toString()
    .split("\n")
    .flatMap(line => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
