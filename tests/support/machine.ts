/** What tests need from the machine they run on, and what they leave on it: nothing. @module */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "./test-host.ts";

/** Kept from run to run: root file systems, which take half a minute each to make. */
export const CACHE = process.env.TEST_CACHE ?? "/var/tmp/tsinfra-test";

/** Throws unless the tests run as root. A test that cannot run fails: a silent skip would look like a pass. */
export function needRoot(purpose: string): void {
  if (process.getuid?.() !== 0) throw new Error(`${purpose} needs root: run the tests as root`);
}

/** Make sure programs exist, installing their Debian packages where root can. Keys are programs, values packages. */
export async function needTools(tools: Readonly<Record<string, string>>): Promise<void> {
  const missing = () =>
    Object.keys(tools).filter(tool => !Bun.which(tool, { PATH: `${process.env.PATH}:/usr/sbin:/sbin` }));
  if (missing().length === 0) return;
  const packages = [...new Set(missing().map(tool => tools[tool] ?? tool))];
  if (process.getuid?.() === 0 && Bun.which("apt-get")) await aptInstall(packages);
  if (missing().length > 0)
    throw new Error(`These programs are missing: ${missing().join(", ")}. Install the packages ${packages.join(", ")}`);
}

async function aptInstall(packages: string[]): Promise<void> {
  const apt = "apt-get -o DPkg::Lock::Timeout=600";
  const line = `${apt} update -qq; DEBIAN_FRONTEND=noninteractive ${apt} install -y -qq --no-install-recommends "$@"`;
  const installed = await spawn(["flock", lockFile("apt"), "sh", "-c", line, "sh", ...packages]);
  if (installed.exitCode !== 0)
    throw new Error(`apt-get could not install ${packages.join(", ")}:\n${installed.stderr}`);
}

/** A file that `flock` locks: one name, one thing that only one process at a time may do. */
export function lockFile(name: string): string {
  mkdirSync(join(CACHE, "locks"), { recursive: true });
  return join(CACHE, "locks", name);
}

/** Something on the machine that outlives a process that is killed: a mount, a namespace, a network link. */
export interface Trace {
  readonly directory: string;
  /** Say, before doing it, how to undo what is about to be done: a shell line, harmless if there is nothing to undo. Undone last first. */
  undo(line: string): void;
  /** Undo everything and remove the directory. */
  remove(): void;
}

const traces = new Set<Trace>();

/** A new directory of this process, whose traces are removed at exit, or by the next test run when this one is killed. */
export function trace(): Trace {
  if (traces.size === 0) {
    sweep();
    process.once("exit", () => traces.forEach(one => one.remove()));
  }
  const directory = mkdtempSync(join(runs(), `${process.pid}-${startTime(process.pid)}-`));
  const made: Trace = {
    directory,
    undo: line => writeFileSync(join(directory, "undo"), `${line}\n${readUndo(directory)}`),
    remove() {
      if (traces.delete(made)) undoAll(directory);
    },
  };
  traces.add(made);
  return made;
}

const runs = (): string => {
  mkdirSync(join(CACHE, "runs"), { recursive: true });
  return join(CACHE, "runs");
};

/** Remove what killed processes left. A process is known by its id and its start time, since ids are used again. */
function sweep(): void {
  for (const name of readdirSync(runs())) {
    const [pid, start] = name.split("-");
    if (startTime(Number(pid)) !== start) undoAll(join(runs(), name));
  }
}

function undoAll(directory: string): void {
  spawnSync("sh", ["-c", readUndo(directory)], { stdio: "ignore" });
  const mounted = readFileSync("/proc/self/mounts", "utf8").includes(` ${directory}/`);
  if (mounted) console.error(`Left in place, because something is still mounted in it: ${directory}`);
  else rmSync(directory, { recursive: true, force: true });
}

const readUndo = (directory: string): string =>
  existsSync(join(directory, "undo")) ? readFileSync(join(directory, "undo"), "utf8") : "";

/** Clock ticks since boot at which a process started; `undefined` when there is none. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
