/** What the operations of a run have printed, for whoever asks their handles. @module */
import type { CommandResult } from "../core/host.ts";
import { linesOf } from "../core/lines.ts";
import type { Completion } from "./host-state.ts";

/** Characters of all outputs of a run that are kept, the newest; those of one operation are kept in any case. */
const MOST = 64 * 1024 * 1024;
/** Of what is too much the end is kept, in characters; outputs that are no longer do not count. */
const REST = 64 * 1024;

/** Keeps the outputs of a run within a limit. */
export class KeptResults {
  readonly #large: { readonly completion: Completion; readonly size: number }[] = [];
  #size = 0;

  /** An operation has ended: what it printed is kept, and the oldest of the others cut if all together is too much. */
  add(completion: Completion): void {
    const size = completion.results.reduce((sum, { stdout, stderr }) => sum + stdout.length + stderr.length, 0);
    if (size <= REST) return;
    this.#large.push({ completion, size });
    this.#size += size;
    while (this.#size > MOST && this.#large.length > 1) {
      const oldest = this.#large.shift()!;
      this.#size -= oldest.size;
      oldest.completion.results = oldest.completion.results.map(shortened);
    }
  }
}

function shortened(result: CommandResult): CommandResult {
  const { exitCode } = result;
  const [stdout, stderr] = [endOf(result.stdout), endOf(result.stderr)];
  const isCut = result.isCut || stdout.length < result.stdout.length || stderr.length < result.stderr.length;
  return { exitCode, stdout, stderr, isCut, stdoutLines: linesOf(stdout), stderrLines: linesOf(stderr) };
}

/** From a whole line on, where there is one; in memory of its own, or the rest would stay for its sake. */
function endOf(text: string): string {
  if (text.length <= REST) return text;
  const end = Buffer.from(text.slice(-REST)).toString();
  return end.slice(end.indexOf("\n") + 1);
}
