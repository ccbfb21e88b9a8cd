/**
 * How long 1 GB of output on one host holds another host up, whose command says every 10 ms what time it is. Beside it, the same without
 * the 1 GB: what the machine itself does meanwhile. `bun tests/bench/stalls.ts [RUNS] [MEGABYTES]` @module
 */
import { raiseFleet, sh } from "./fleet.ts";

const TSINFRA = `${import.meta.dir}/../../dist/tsinfra`;
const runs = Number(process.argv[2] ?? 5);
const megabytes = Number(process.argv[3] ?? 1000);

interface Stalls {
  /** Longest time between a line's being printed on the host and its being read here, in milliseconds. */
  readonly latency: number;
  /** Longest time between two lines, in milliseconds. */
  readonly gap: number;
  /** Of the latency, the 99th hundredth. */
  readonly most: number;
  readonly lines: number;
  readonly memory: number;
}

await using fleet = await raiseFleet();
const port = await fleet.port(0);
/** Both hosts are one machine: whoever comes first prints much, the other one the time until that has ended. */
const first = `/home/${fleet.user}/first`;
const much = `yes "The quick brown fox jumps over the lazy dog, and over the next one, and over the one behind it" | head -c ${megabytes}000000`;
const command = (work: string): string =>
  `if mkdir ${first} 2>/dev/null; then ${work}; rmdir ${first}; else while [ -d ${first} ]; do date "+tick %s%N"; sleep 0.01; done; fi`;

async function measure(work: string): Promise<Stalls> {
  const file = `${fleet.directory}/times`;
  await sh(`rm -rf ${first}`);
  const child = Bun.spawn([TSINFRA, fleet.inventory(2, port), "exec", "--", command(work)], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: Bun.file(file),
  });
  const grep = Bun.spawn(["grep", "--line-buffered", "tick"], { stdin: child.stdout, stdout: "pipe" });
  const times: { readonly printed: number; readonly read: number }[] = [];
  let rest = "";
  for await (const chunk of grep.stdout) {
    const read = performance.timeOrigin + performance.now();
    const lines = (rest + Buffer.from(chunk).toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) times.push({ printed: Number(/tick (\d+)/.exec(line)?.[1]) / 1e6, read });
  }
  if ((await child.exited) !== 0) throw new Error(await Bun.file(file).text());
  const latencies = times.map(({ printed, read }) => read - printed).toSorted((a, b) => a - b);
  const gaps = times.slice(1).map(({ read }, index) => read - times[index]!.read);
  return {
    latency: latencies.at(-1) ?? 0,
    most: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    gap: Math.max(...gaps),
    lines: times.length,
    memory: Number(child.resourceUsage()?.maxRSS ?? 0) / 1e6,
  };
}

for (let run = 0; run < runs; run++)
  for (const [name, work] of [
    ["nothing", "sleep 4"],
    [`${megabytes} MB`, much],
  ] as const) {
    const { latency, most, gap, lines, memory } = await measure(work);
    console.log(
      `${name.padEnd(8)} latency at most ${latency.toFixed(0).padStart(4)} ms, of 99 % ${most.toFixed(0).padStart(3)} ms; gap at most ${gap.toFixed(0).padStart(4)} ms; ${lines} lines, ${memory.toFixed(0)} MB`,
    );
  }
