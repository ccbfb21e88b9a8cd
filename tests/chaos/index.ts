/**
 * Bad days: what a run tells, compared with what the hosts have written down.
 *
 *   npm run test:chaos -- [KIND...] [--seeds N] [--seed K] [--count N]
 *
 * Kinds: faults, signals, leaving, rows, thousand; default: all. `--seeds N` runs seeds 1 to N of each, `--seed K` that one alone.
 * `--count N` is how many runs `rows` has in a row, and how many hosts `thousand` has. Exit code 1: something was not as it
 * was told. With `TSINFRA_CHAOS_KEEP=DIRECTORY` the files and the output of such runs are kept there.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { needRoot, needTools } from "../support/machine.ts";
import { type Kind, KINDS } from "./kinds.ts";

interface Wanted {
  readonly kinds: readonly string[];
  readonly seeds: number | undefined;
  readonly seed: number | undefined;
  readonly count: number | undefined;
}

/** Set where this runs again, in a network of its own. */
const INSIDE = "TSINFRA_CHAOS_INSIDE";
const wanted = settings();
await needTools({ sshd: "openssh-server", ssh: "openssh-client" });
let failed = 0;
for (const name of wanted.kinds) failed += await runKind(name, KINDS[name]!);
console.log(
  failed === 0 ? "Everything was as it was told" : `${failed} seeds had something that was not as it was told`,
);
process.exit(failed === 0 ? 0 : 1);

async function runKind(name: string, kind: Kind): Promise<number> {
  // A thousand addresses, which nobody else sees.
  if (name === "thousand" && process.env[INSIDE] === undefined) return runInNetwork(name);
  console.log(`${name}: ${kind.summary}`);
  const { count, seed, seeds = kind.seeds } = wanted;
  await using fleet = await kind.fleet();
  let failed = 0;
  for (const one of seed === undefined ? Array.from({ length: seeds }, (_, index) => index + 1) : [seed]) {
    const started = performance.now();
    const { problems, summary } = await kind.run(fleet, one, { count });
    console.log(
      `  seed ${one}: ${problems.length === 0 ? "well" : "NOT WELL"}, ${((performance.now() - started) / 1000).toFixed(1)} s: ${summary}`,
    );
    for (const problem of problems) console.log(`    ${problem}`);
    if (problems.length === 0) continue;
    failed++;
    console.log(
      `    again: npm run test:chaos -- ${name} --seed ${one}${count === undefined ? "" : ` --count ${count}`}`,
    );
  }
  return failed;
}

async function runInNetwork(name: string): Promise<number> {
  needRoot("A network of its own");
  await needTools({ ip: "iproute2", unshare: "util-linux" });
  const { count, seed, seeds } = wanted;
  const words = Object.entries({ count, seed, seeds }).flatMap(([key, value]) =>
    value === undefined ? [] : [`--${key}`, `${value}`],
  );
  const child = Bun.spawn(
    [
      "unshare",
      "-n",
      "sh",
      "-c",
      `ip link set lo up && exec "$@"`,
      "sh",
      process.execPath,
      import.meta.path,
      name,
      ...words,
    ],
    {
      env: { ...process.env, [INSIDE]: "1" },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  return (await child.exited) === 0 ? 0 : 1;
}

function settings(): Wanted {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { seeds: { type: "string" }, seed: { type: "string" }, count: { type: "string" } },
    });
    const unknown = positionals.filter(name => !(name in KINDS));
    if (unknown.length > 0) throw new Error(`There is no kind ${unknown.join(", ")}`);
    const number = (text: string | undefined): number | undefined => {
      if (text === undefined) return undefined;
      if (!/^\d+$/.test(text)) throw new Error(`${text} is not a number`);
      return Number(text);
    };
    return {
      kinds: positionals.length > 0 ? positionals : Object.keys(KINDS),
      seeds: number(values.seeds),
      seed: number(values.seed),
      count: number(values.count),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}
Usage: npm run test:chaos -- [${Object.keys(KINDS).join(" | ")}]... [--seeds N] [--seed K] [--count N]`);
    process.exit(2);
  }
}
