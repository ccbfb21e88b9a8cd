/** Programs of this machine that are run for what they print. @module */
import { KeptOutput } from "../core/output.ts";

/** How a program ended, and what it printed. */
export interface ChildResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** It printed more to standard output than is kept. */
  readonly isCut: boolean;
}

/** In which surroundings a program runs. */
export interface ChildOptions {
  readonly cwd: string;
  /** The whole environment: Bun would pass on what it was at the start, with the passwords that were taken out of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** Bytes that are kept of each of its two streams, the last ones; default: all. */
  readonly keeps?: number;
}

/** Run a program that reads nothing to its end. */
export async function runChild(
  argv: readonly string[],
  { cwd, env, signal, keeps = Infinity }: ChildOptions,
): Promise<ChildResult> {
  const child = Bun.spawn([...argv], {
    cwd,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(signal ? { signal } : {}),
  });
  const kept = { stdout: new KeptOutput(keeps), stderr: new KeptOutput(keeps) };
  const read = async (stream: "stdout" | "stderr"): Promise<void> => {
    for await (const chunk of child[stream]) kept[stream].add(chunk);
  };
  const [exitCode] = await Promise.all([child.exited, read("stdout"), read("stderr")]);
  const text = (stream: "stdout" | "stderr"): string => new TextDecoder().decode(kept[stream].bytes());
  return { exitCode, stdout: text("stdout"), stderr: text("stderr"), isCut: kept.stdout.isCut };
}
