/** What the operations of a run have printed, for whoever asks their handles. @module */
import type { CommandResult } from "../core/host.ts";
import { linesOf } from "../core/lines.ts";
import type { Completion } from "./host-state.ts";

/** Characters of all outputs of a run that are kept whole, the newest; those of one operation are kept in any case. */
const MOST = 64 * 1024 * 1024;
/** Characters of an operation's end that are kept when it is not among them any more, as long as all of those ends are no more than `MOST`. */
const REST = 64 * 1024;

/** Keeps the outputs of a run within a limit. */
export class KeptResults {
  readonly #whole = new Newest();
  readonly #ends = new Newest();

  /** An operation has ended: what it printed is kept, and the oldest of the others cut if all together is too much. */
  add(completion: Completion): void {
    for (const older of this.#whole.add(completion)) {
      shorten(older, REST);
      for (const oldest of this.#ends.add(older)) shorten(oldest, 0);
    }
  }
}

/** The last operations, with no more output than is kept. */
class Newest {
  readonly #operations: { readonly completion: Completion; readonly size: number }[] = [];
  #size = 0;

  /** Returns those that have no room any more. */
  *add(completion: Completion): Generator<Completion> {
    const size = completion.results.reduce((sum, { stdout, stderr }) => sum + stdout.length + stderr.length, 0);
    if (size === 0) return;
    this.#operations.push({ completion, size });
    this.#size += size;
    while (this.#size > MOST && this.#operations.length > 1) {
      const oldest = this.#operations.shift()!;
      this.#size -= oldest.size;
      yield oldest.completion;
    }
  }
}

/** Keep so many characters of all that the commands of an operation printed, the last ones. */
function shorten(completion: Completion, most: number): void {
  let left = most;
  const end = (text: string): string => {
    const kept = endOf(text, left);
    left -= kept.length;
    return kept;
  };
  completion.results = completion.results
    .toReversed()
    .map((result): CommandResult => {
      const [stderr, stdout] = [end(result.stderr), end(result.stdout)];
      if (stdout.length === result.stdout.length && stderr.length === result.stderr.length) return result;
      const lines = { stdoutLines: linesOf(stdout), stderrLines: linesOf(stderr) };
      return { exitCode: result.exitCode, stdout, stderr, ...lines, isCut: true };
    })
    .toReversed();
}

/** From a whole line on, where there is one; in memory of its own, or the rest would stay for its sake. */
function endOf(text: string, most: number): string {
  if (text.length <= most) return text;
  if (most === 0) return "";
  const end = Buffer.from(text.slice(-most)).toString();
  return end.slice(end.indexOf("\n") + 1);
}
