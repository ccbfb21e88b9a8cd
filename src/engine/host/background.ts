/** Whether a command leaves something running behind it. Pure. @module */
import type { Shell } from "../../core/command.ts";

/**
 * True if the command may go on after its shell has: an `&` that is neither part of `&&`, a redirection, a comment nor quoted.
 * What is quoted is data, unless it is the program of another shell (`sh -c '…'`, `eval "…"`) or substituted into double quotes.
 * It may be true where nothing runs on, never false where the shell leaves something; programs that go into the background by themselves are not seen.
 */
export function leavesSomethingRunning(command: Shell): boolean {
  const text = command.wire();
  return text.includes("&") && (hasBackground(text) || (NESTED_PROGRAM.test(text) && ANY_BACKGROUND.test(text)));
}

/** Words behind which quoted text is run: a heredoc may be as well. */
const NESTED_PROGRAM = /(?:^|[\s;|&({`])(?:eval|trap|su|ssh|xargs|parallel|watch)\s|\s-[A-Za-z]*[ce]\s|<</;
const ANY_BACKGROUND = /(?:^|[^&>])&(?![&>\d])/;

function hasBackground(text: string): boolean {
  let at = 0;
  // A word that begins with # begins a comment.
  let atWord = true;
  while (at < text.length) {
    const character = text[at]!;
    const wasAtWord = atWord;
    atWord = /[\s;|&()]/.test(character);
    switch (character) {
      case "\\":
        at += 2;
        continue;
      case "'":
        at = after(text, "'", at + 1);
        continue;
      case '"': {
        const end = endOfDoubleQuotes(text, at + 1);
        const inside = text.slice(at + 1, end);
        // Quotes inside the substitution end what only looks like the outer ones.
        if (/\$\(|`/.test(inside) && ANY_BACKGROUND.test(text.slice(at))) return true;
        at = end + 1;
        continue;
      }
      case "#":
        if (wasAtWord || at === 0) {
          at = after(text, "\n", at);
          atWord = true;
          continue;
        }
        break;
      case "&": {
        if (text[at + 1] === "&") {
          at += 2;
          continue;
        }
        const isRedirection = text[at - 1] === ">" || text[at - 1] === "<" || text[at + 1] === ">";
        if (!isRedirection) return true;
      }
    }
    at++;
  }
  return false;
}

/** The place behind the next `mark`, or the end. */
function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found === -1 ? text.length : found + 1;
}

/** Where double quotes that began before `from` end. */
function endOfDoubleQuotes(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
