/** One chaos run: set up, started, perhaps interrupted, waited for, and judged. @module */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { executable } from "../support/executable.ts";
import { type ChaosHost, type Fleet, type Haste, leftovers, setStage, type Stage } from "./fleet.ts";
import { untruths } from "./oracle.ts";
import type { Program } from "./program.ts";
import { type Told, toldBy } from "./told.ts";

/** What is done to the program while it runs. */
export interface Interruption {
  /** Sent one after the other. */
  readonly signals: readonly NodeJS.Signals[];
  /** As soon as so many events were told. */
  readonly afterEvents: number;
  /** And so many ms later. */
  readonly delay: number;
  /** Milliseconds between two signals; default: as many. */
  readonly between?: number;
  /** And not before one of the events matches this. */
  readonly once?: RegExp;
}

export interface RunOptions {
  readonly interruption?: Interruption | undefined;
  /** Seconds after which a run hangs. */
  readonly limit?: number;
  /** Seconds in which everything of ours has to be gone from the hosts. */
  readonly grace?: number;
  /** Called when everything is laid out, before the program starts. */
  readonly staged?: (stage: Stage) => void;
  /** Called every time that events came, with the process id. */
  readonly watch?: (pid: number) => void;
}

export interface Verdict {
  /** What is wrong, in words; nothing where all is well. */
  readonly problems: readonly string[];
  readonly told: Told;
  readonly exitCode: number | null;
  readonly seconds: number;
  /** From the last signal to the end. */
  readonly secondsAfterSignal: number | undefined;
  /** What happened to the run, in a few words. */
  readonly summary: string;
}

/** Run a program on hosts and judge it. What is needed to look into a failure is kept at `TSINFRA_CHAOS_KEEP`, if that is set. */
export async function chaosRun(
  fleet: Fleet,
  hosts: readonly ChaosHost[],
  program: Program,
  options: RunOptions = {},
): Promise<Verdict> {
  await using stage = await setStage(fleet, hosts, program);
  const { limit = 150, grace = 30, interruption, staged, watch } = options;
  staged?.(stage);
  const started = performance.now();
  const child = Bun.spawn([await executable(), ...stage.words], {
    cwd: stage.directory,
    env: stage.environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const sent: NodeJS.Signals[] = [];
  let [stdout, lines, isHung, isInterrupted] = ["", 0, false, false];
  let signalled: number | undefined;
  const interrupt = async ({ signals, delay, between = delay }: Interruption): Promise<void> => {
    for (const [index, signal] of signals.entries()) {
      await Bun.sleep(index === 0 ? delay : between);
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      sent.push(signal);
      signalled = performance.now();
    }
  };
  let interrupting: Promise<void> | undefined;
  const alarm = setTimeout(() => {
    isHung = true;
    child.kill("SIGKILL");
  }, limit * 1000);
  const decoder = new TextDecoder();
  const stderr = child.stderr.text();
  for await (const chunk of child.stdout) {
    stdout += decoder.decode(chunk, { stream: true });
    lines += chunk.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0);
    watch?.(child.pid);
    if (
      interruption &&
      !isInterrupted &&
      lines >= interruption.afterEvents &&
      (interruption.once?.test(stdout) ?? true)
    ) {
      isInterrupted = true;
      interrupting = interrupt(interruption);
    }
  }
  const exitCode = await child.exited.then(() => child.exitCode);
  clearTimeout(alarm);
  const ended = performance.now();
  await interrupting;
  const said = await stderr;
  const told = toldBy(stdout);
  const problems: string[] = [];
  if (isHung) problems.push(`it had not ended after ${limit} seconds, and waited for: ${waitedFor(told, stdout)}`);
  // From here on the hosts hear that the other side is gone, if it is.
  for (const proxy of stage.proxies.values()) await proxy.close();
  problems.push(
    ...(await leftAfter(
      fleet,
      stage,
      grace,
      isHung || sent.includes("SIGKILL") ? "killed" : sent.length > 1 ? "leaves at once" : "none",
    )),
  );
  problems.push(...untruths(stage, program, told, { exitCode, sent: isHung ? ["SIGKILL"] : sent }));
  if (/\n\s+at .*\/src\/|\bat (?:async )?\w+ \(/.test(said))
    problems.push(`a stack trace of ours: ${said.slice(0, 500)}`);
  if (problems.length > 0) keep(fleet, stage, stdout, said);
  return {
    problems,
    told,
    exitCode,
    seconds: (ended - started) / 1000,
    secondsAfterSignal: signalled === undefined ? undefined : (ended - signalled) / 1000,
    summary: `${hosts.length} hosts, ${program.steps.length} steps ${program.options.join(" ")}, exit code ${exitCode ?? child.signalCode}, ${sent.join(" ")}${failures(told)}${struck(stage)}`,
  };
}

function failures({ failed, results }: Told): string {
  const all = results ? results.hosts.filter(({ error }) => error).length : failed.size;
  return all > 0 ? ` ${all} hosts failed` : "";
}

/** How many faults there really were. */
function struck({ proxies }: Stage): string {
  const count = [...proxies.values()].reduce((sum, { log }) => sum + log.length, 0);
  return count > 0 ? `, ${count} faults` : "";
}

/** What has begun and has not ended, for who has to look into a hang. */
function waitedFor({ performances, results }: Told, stdout: string): string {
  const open = [...performances].flatMap(([host, all]) =>
    all.filter(({ end }) => !end).map(({ operation }) => `${operation} on ${host}`),
  );
  const last = stdout.trimEnd().split("\n").slice(-3);
  return `${open.join(", ") || "no operation"}${results ? ", with its results told" : ""}; its last events: ${last.join(" ").slice(0, 800)}`;
}

async function leftAfter(fleet: Fleet, stage: Stage, grace: number, haste: Haste): Promise<readonly string[]> {
  const deadline = performance.now() + grace * 1000;
  for (;;) {
    const left = leftovers(fleet, stage, haste);
    if (left.length === 0) return [];
    if (performance.now() > deadline) return left.map(one => `left behind for ${grace} seconds: ${one}`);
    await Bun.sleep(50);
  }
}

function keep(fleet: Fleet, stage: Stage, stdout: string, stderr: string): void {
  const to = process.env["TSINFRA_CHAOS_KEEP"];
  if (to === undefined) return;
  const kept = join(to, `${Date.now()}`);
  Bun.spawnSync(["cp", "-a", stage.directory, kept]);
  Bun.spawnSync(["cp", "-a", fleet.hostTemp, kept]);
  writeFileSync(join(kept, "stdout"), stdout);
  writeFileSync(join(kept, "stderr"), stderr);
  writeFileSync(
    join(kept, "proxies"),
    [...stage.proxies].map(([name, { log }]) => `${name}: ${log.join("; ")}\n`).join(""),
  );
  console.log(`kept: ${kept}`);
}

/** Open descriptors of a process. */
export function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** Bytes that a process has had at most. */
export const peakOf = (pid: number): number => {
  try {
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
};
