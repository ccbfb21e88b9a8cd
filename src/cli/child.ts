/** Programs of this machine that are run for what they print. @module */

/** How a program ended, and what it printed. */
export interface ChildResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** In which surroundings a program runs. */
export interface ChildOptions {
  readonly cwd: string;
  /** The whole environment: Bun would pass on what it was at the start, with the passwords that were taken out of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** Run a program that reads nothing to its end. */
export async function runChild(argv: readonly string[], { cwd, env, signal }: ChildOptions): Promise<ChildResult> {
  const child = Bun.spawn([...argv], {
    cwd,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(signal ? { signal } : {}),
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}
