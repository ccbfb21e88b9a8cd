/** The one thing that a login shell is asked to do, whichever it is. @module */
import { quote } from "../../core/command.ts";
import { inOctal } from "../../core/octal.ts";

/** What fish and csh read differently in single quotes: backslashes, the end of a line, csh's history. */
const DISPUTED = /[\\\n!]/;
/** What is written as a number then: this, and what would end the quotes around it. */
const NUMBERED = /[\\\n!'"$`]/g;

/** A line that makes any login shell, POSIX or not, give its own place to a program. */
export function execWords(words: readonly string[]): string {
  const line = `exec ${words.map(quote).join(" ")}`;
  return DISPUTED.test(line) ? inPosixShell(line) : line;
}

/** A line that makes any login shell, POSIX or not, give its own place to `/bin/sh` with this line. */
export function inPosixShell(line: string): string {
  if (!DISPUTED.test(line)) return `exec /bin/sh -c ${quote(line)}`;
  return `exec /bin/sh -c 'eval "$(printf %b "${inOctal(line, NUMBERED)}")"'`;
}

/** Does the server make each command the leader of a process group? */
export const startsGroups = (software: string): boolean => software.startsWith("OpenSSH");

/**
 * For servers that start commands in a group of their own processes (dropbear, tinyssh): the same command, leading a group that can be ended as a whole.
 * Where there is no setsid, it runs without.
 */
export function inOwnGroup(line: string): string {
  return `set -- /bin/sh -c ${quote(line)}; { kill -0 -$$ || ! command -v setsid; } >/dev/null 2>&1 || exec setsid "$@"; exec "$@"`;
}
