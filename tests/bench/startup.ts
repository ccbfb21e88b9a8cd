/**
 * How long `tsinfra --version` takes beside an empty program compiled in the same way, in turn, so that both meet the same machine.
 * `bun tests/bench/startup.ts [RUNS]` @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../support/executable.ts";

const runs = Number(process.argv[2] ?? 41);
const directory = mkdtempSync(join(tmpdir(), "startup-"));
try {
  const empty = join(directory, "empty");
  writeFileSync(`${empty}.ts`, "export {};\n");
  const compiled = await Bun.build({
    entrypoints: [`${empty}.ts`],
    target: "bun",
    format: "esm",
    minify: true,
    bytecode: true,
    compile: { outfile: empty, autoloadDotenv: false, autoloadBunfig: false },
  });
  if (!compiled.success) throw new AggregateError(compiled.logs);
  const programs = {
    "empty program": [empty],
    "tsinfra --version": [await executable(), "--version"],
    "tsinfra --help": [await executable(), "--help"],
  };
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(programs).map(name => [name, []]));
  for (let run = 0; run < runs; run++)
    for (const [name, argv] of Object.entries(programs)) {
      const started = performance.now();
      Bun.spawnSync(argv, { stdout: "ignore", stderr: "ignore" });
      times[name]?.push(performance.now() - started);
    }
  const [base] = Object.values(times).map(median);
  for (const [name, all] of Object.entries(times))
    console.log(
      `${name.padEnd(20)} median ${median(all).toFixed(1)} ms   ${(median(all) / (base ?? 1)).toFixed(2)} × empty   (${runs} runs, fastest ${Math.min(...all).toFixed(1)} ms)`,
    );
} finally {
  rmSync(directory, { recursive: true });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
