/** The shell line that runs a command as somebody, somewhere, with an environment. Pure. @module */
import { joined, quoted, raw, remotePath, Secret, sh, Shell, type Word } from "../../core/command.ts";
import { inOctal } from "../../core/octal.ts";

/** As whom and in which surroundings a command runs. Resolved from the global arguments. */
export interface Surroundings {
  readonly doas?: { readonly user?: string };
  readonly dzdo?: { readonly user?: string };
  readonly sudo?: {
    readonly user?: string;
    readonly login: boolean;
    readonly preserveEnv: boolean;
    readonly password?: Secret;
  };
  readonly su?: {
    readonly user: string;
    readonly login: boolean;
    readonly preserveEnv: boolean;
    readonly shell?: string;
    readonly password?: Secret;
  };
  /** `false` runs the command without a shell of its own. */
  readonly shell: string | false;
  readonly chdir?: string;
  readonly env: Readonly<Record<string, string | number | Secret>>;
}

/** A line for the host's login shell, and what it must read on stdin before the command's own input. */
export interface Escalated {
  readonly line: Shell;
  readonly preamble: readonly (string | Secret)[];
  /** So many of its lines are passwords. The others wait for the command to begin: sudo-rs reads more than the line it wants, and forgets the rest. */
  readonly passwords: number;
  /** On a terminal, which programs empty before they read a password: what those wait for. */
  readonly typed?: {
    /** The terminal has stopped echoing. */
    readonly readyLine: string;
    /** So many of the passwords, the last ones, also wait for a prompt: su writes one, and sudo does not. */
    readonly prompts: number;
  };
}

/**
 * Wrap a command: `[doas] [dzdo] [sudo] [su] sh -c 'cd DIR && export K=V && COMMAND'`, outermost first.
 *
 * With a `nonce`, the innermost shell first writes `NONCE PID` to stderr. That line proves that every escalation
 * succeeded, names the process to kill, and ends whatever sudo or su had to say. Where it `marksOutput`, it writes the same
 * with `outputMark` to stdout right before the command: what came before that, start-up files have printed.
 *
 * Where it `tellsEnd`, that shell runs the command in another one, and then writes \\x01, the mark and the exit code to both:
 * what becomes somebody else may lose the exit code, end the command, or print behind it.
 *
 * Passwords, commands that hold secrets, and those too long for an argument travel on stdin, a line each, never in an argument: the innermost shell
 * skips what sudo did not want to read up to a line that is the nonce, and reads such a script up to the next one. Where somebody
 * has read some of it, it says `unread` in place of an exit code, and runs nothing.
 * On a pseudo-terminal that would echo them, echo is off until they have been read.
 *
 * `sudo -i` and `su` hand words to the shell of whom they become: one expands `$`, another ends words at line breaks. The innermost script is
 * spelled so that nothing is left in it that means something to any.
 */
export function escalate(
  command: Shell,
  surroundings: Surroundings,
  nonce?: string,
  { pty = false, tellsEnd = false, marksOutput = !pty }: EscalationOptions = {},
): Escalated {
  const how = { nonce, pty, tellsEnd, marksOutput };
  const escalated = wrapped(command, surroundings, { ...how, isHidden: false });
  // A terminal takes no line that is longer than 4 KiB.
  return pty || lineBytes(escalated.line, surroundings) <= LONGEST_LINE
    ? escalated
    : wrapped(command, surroundings, { ...how, isHidden: true });
}

/** How the shell inside says what becomes of a command. */
export interface EscalationOptions {
  readonly pty?: boolean;
  readonly tellsEnd?: boolean;
  /** Default: where there is no pty, which has one output only. */
  readonly marksOutput?: boolean;
}

/** What stdout is marked with: never to be taken for the nonce, which stands on stderr. */
export const outputMark = (nonce: string): string => `${nonce}o`;

interface Wrapping extends Required<EscalationOptions> {
  readonly nonce: string | undefined;
  /** The command is no argument, though it holds no secret. */
  readonly isHidden: boolean;
}

function wrapped(command: Shell, surroundings: Surroundings, how: Wrapping): Escalated {
  const { nonce, pty, tellsEnd, marksOutput, isHidden } = how;
  const { shell, doas, dzdo, sudo, su } = surroundings;
  const passwords = [sudo?.password, su?.password].filter(password => password !== undefined);
  const scripted = shell !== false && nonce !== undefined;
  const script = inSurroundings(command, surroundings);
  const isLong = bytesOf(script) > LONGEST_SCRIPT;
  const hidden = scripted && (isHidden || script.hasSecret || (tellsEnd && isLong && !pty));

  const preamble: (string | Secret)[] = [...passwords];
  const steps: Shell[] = [];
  if (scripted) steps.push(sh`echo ${nonce} $$ >&2`);
  if (scripted && passwords.length > 0) {
    steps.push(sh`while IFS= read -r l && [ "$l" != ${nonce} ]; do :; done`);
    preamble.push(nonce);
  }
  if (hidden) {
    // By the hundred: a long text is copied for each line that it grows by.
    steps.push(
      sh`s= t= n=0; while IFS= read -r l && [ "$l" != ${nonce} ]; do t="$t$l${NEWLINE}" n=$((n+1)); [ $n -lt 100 ] || { s=$s$t; t=; n=0; }; done; s=$s$t`,
    );
    steps.push(sh`[ "$l" = ${nonce} ] || { printf '\\001%s unread\\n' ${nonce} >&2; exit 1; }`);
    preamble.push(new Secret(script.wire()), nonce);
  }
  const quiet = scripted && pty && preamble.length > 0;
  if (quiet) steps.push(sh`stty echo`);
  if (scripted && marksOutput) steps.push(sh`echo ${outputMark(nonce)} $$`);
  const own = hidden ? sh`eval "$s"` : script;
  if (scripted && tellsEnd) {
    // It outlives what is meant for the command, which may have to tidy up.
    steps.push(sh`trap : HUP INT QUIT TERM`);
    steps.push(hidden ? inNewShell(shell) : isLong ? sh`(${own}${NEWLINE})` : sh`${shell} -c ${quoted(own)}`);
    steps.push(sh`c=$?`);
    if (marksOutput) steps.push(sh`printf '\\001%s %s\\n' ${outputMark(nonce)} "$c"`);
    steps.push(sh`printf '\\001%s %s\\n' ${nonce} "$c" >&2`, sh`exit "$c"`);
  } else steps.push(own);

  let line = joined("; ", steps);
  if (shell !== false) line = sh`${shell} -c ${quoted(sudo?.login || su ? spelled(line) : line)}`;
  if (su) line = sh`${suWords(su)} -c ${quoted(line)}`;
  if (sudo) line = sh`${sudoWords(sudo)} ${line}`;
  if (dzdo) line = sh`${doasWords("dzdo", dzdo)} ${line}`;
  if (doas) line = sh`${doasWords("doas", doas)} ${line}`;
  if (!quiet) return { line, preamble, passwords: passwords.length };
  const readyLine = `${nonce} ready`;
  const typed = { readyLine, prompts: su?.password ? 1 : 0 };
  return { line: sh`stty -echo; echo ${readyLine}; ${line}`, preamble, passwords: passwords.length, typed };
}

/** True if the command runs as somebody other than who logged in. */
export const isEscalated = ({ doas, dzdo, sudo, su }: Surroundings): boolean => Boolean(doas || dzdo || sudo || su);

/** What rsync is called on the host to run as somebody else, in words; nothing where words are not enough: su takes a line, a password an input. */
export function escalatedRsync({ doas, dzdo, sudo, su }: Surroundings): readonly Word[] | undefined {
  if (su || sudo?.password) return undefined;
  return [doas && doasWords("doas", doas), dzdo && doasWords("dzdo", dzdo), sudo && sudoWords(sudo), "rsync"].filter(
    words => words !== undefined,
  );
}

const bytesOf = (words: Word): number => Buffer.byteLength(sh`${words}`.wire());
/** Bytes: one argument is at most 128 KiB on Linux, and this one stands in quotes inside another. */
const LONGEST_SCRIPT = 60_000;
/** Bytes of a line in quotes, as it stands in the one that carries it. */
export const LONGEST_LINE = 100_000;
/** How many of them a line has at most: what carries it may write what means something in quotes as octal bytes, and sudo's login puts a backslash before most. */
export function lineBytes(line: Shell, { sudo }: Surroundings): number {
  const carried = sh`${quoted(line)}`.wire();
  const special = carried.match(MEANINGFUL)?.length ?? 0;
  return (Buffer.byteLength(carried) + OCTAL_MORE * special) * (sudo?.login ? 2 : 1);
}
/** Bytes that a byte takes more in octal. */
const OCTAL_MORE = 4;
const NEWLINE = raw("\n");

/**
 * What was read into `$s` in a process of its own, as it may signal itself by `$$`, without being an argument of one: the new shell reads it from a pipe.
 * Where printing it would make it one, a subshell has to do.
 */
function inNewShell(shell: string): Shell {
  const reads = sh`s=$(cat); exec <&9 9<&-; eval "$s"`;
  return sh`if [ "$(command -v printf)" = printf ]; then { printf %s "$s" | ${shell} -c ${quoted(reads)}; } 9<&0; else (eval "$s"); fi`;
}

/** A script without a character that means something in quotes. It may hold a secret. */
const spelled = (script: Shell): Shell => sh`eval "\`printf %b ${new Secret(inOctal(script.wire(), MEANINGFUL))}\`"`;
const MEANINGFUL = /[^ -~]|[$`\\"'!]/gu;

/** A command in its directory and with its variables, without becoming anybody. */
export function inSurroundings(command: Shell, { chdir, env }: Surroundings): Shell {
  const variables = Object.entries(env).map(([name, value]) => sh`${name}=${value}`);
  const before = [
    ...(chdir === undefined ? [] : [sh`cd -- ${remotePath(chdir)}`]),
    ...(variables.length === 0 ? [] : [sh`export ${variables}`]),
  ];
  return before.length === 0 ? command : joined(" && ", [...before, group(command)]);
}

/** `a && b; c` would run `c` whatever `cd` said: a command that is more than one simple command is grouped. */
function group(command: Shell): Shell {
  return /[;&|\n#]/.test(command.wire()) ? sh`{ ${command}${NEWLINE}}` : command;
}

const doasWords = (program: "doas" | "dzdo", { user }: { readonly user?: string }): Word => [
  program,
  "-n",
  user !== undefined && ["-u", user],
];

function sudoWords(sudo: NonNullable<Surroundings["sudo"]>): Word {
  return [
    "sudo",
    "-H",
    ...(sudo.password ? ["-S", "-p", ""] : ["-n"]),
    sudo.login && "-i",
    sudo.preserveEnv && "-E",
    sudo.user !== undefined && ["-u", sudo.user],
  ];
}

function suWords(su: NonNullable<Surroundings["su"]>): Word {
  const shell =
    su.shell === undefined || su.shell.startsWith("/") ? su.shell : raw(sh`"$(command -v ${su.shell})"`.wire());
  return ["su", su.login && "-l", su.preserveEnv && "-m", shell !== undefined && ["-s", shell], su.user];
}
