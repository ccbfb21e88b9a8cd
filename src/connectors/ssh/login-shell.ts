/** The one thing that a login shell is asked to do, whichever it is. @module */
import { quote } from "../../core/command.ts";

/** What fish and csh read differently in single quotes: backslashes, the end of a line, csh's history. */
const DISPUTED = /[\\\n!]/;
/** What is written as a number then: this, and what would end the quotes around it. */
const NUMBERED = /[\\\n!'"$`]/g;

/** A line that makes any login shell, POSIX or not, give its own place to `/bin/sh` with this line. */
export function inPosixShell(line: string): string {
  if (!DISPUTED.test(line)) return `exec /bin/sh -c ${quote(line)}`;
  const numbered = line.replace(NUMBERED, char => `\\0${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return `exec /bin/sh -c 'eval "$(printf %b "${numbered}")"'`;
}
