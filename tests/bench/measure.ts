/** Running programs and keeping what it cost. @module */

/** One run of one program. */
export interface Sample {
  /** Wall-clock seconds. */
  readonly seconds: number;
  /** User and system seconds of the program and the children it waited for: the controller's side. */
  readonly cpu: number;
  /** Largest resident set of the program, MB. */
  readonly memory: number;
}

/** A program to measure, and how to tell that it did its work. */
export interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** At most this many runs: for those that take minutes. */
  readonly runs?: number;
  /** Before every run, outside the measurement. */
  readonly before?: () => Promise<void>;
  /** After every run, outside the measurement. Throws if the wanted state was not reached. */
  readonly after?: () => Promise<void>;
}

/** Figures of several runs. */
export interface Figures {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly cpu: number;
  readonly memory: number;
  readonly runs: number;
}

/** Run the contenders in turn, so that what else the machine does meets all of them. */
export async function race(contenders: readonly Contender[], runs: number): Promise<Figures[]> {
  const samples = new Map(contenders.map(({ name }) => [name, [] as Sample[]]));
  for (let run = 0; run < runs; run++) {
    for (const contender of contenders) {
      if (run >= (contender.runs ?? runs)) continue;
      await contender.before?.();
      samples.get(contender.name)!.push(await measure(contender));
      await contender.after?.();
    }
  }
  return contenders.map(({ name }) => figures(name, samples.get(name)!));
}

async function measure({ name, command, env }: Contender): Promise<Sample> {
  const started = performance.now();
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const seconds = (performance.now() - started) / 1000;
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}: ${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  const usage = child.resourceUsage();
  return { seconds, cpu: Number(usage?.cpuTime.total ?? 0) / 1e6, memory: Number(usage?.maxRSS ?? 0) / 1e6 };
}

function figures(name: string, samples: readonly Sample[]): Figures {
  const seconds = samples.map(sample => sample.seconds);
  return {
    name,
    median: median(seconds),
    min: Math.min(...seconds),
    max: Math.max(...seconds),
    cpu: median(samples.map(sample => sample.cpu)),
    memory: Math.max(...samples.map(sample => sample.memory)),
    runs: samples.length,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
