/** Telling what this run makes from what other runs have made, of which some may have been killed. @module */
import { createHash } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";

/** A process of the control machine. */
export interface Controller {
  /** Stands for all processes whose life this one can see: this machine since its start, this process namespace, this user. */
  readonly sees: string;
  /** This process: its id, and when it was started, since ids are used again. */
  readonly process: string;
}

/** Who runs this; `undefined` where processes cannot be looked at. */
export async function thisController(): Promise<Controller | undefined> {
  try {
    const [boot, namespace, started] = await Promise.all([
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      readlink("/proc/self/ns/pid"),
      startTime(process.pid),
    ]);
    if (started === undefined) return undefined;
    // Another user's processes may be hidden, and would pass for dead.
    const sees = createHash("sha256").update(`${boot} ${namespace} ${process.getuid?.()}`).digest("hex").slice(0, 12);
    return { sees, process: `${process.pid}-${started}` };
  } catch {
    return undefined;
  }
}

/** Whether a process that is written as `Controller.process` is still there. */
export async function isAlive(written: string): Promise<boolean> {
  const [pid = "", started] = written.split("-");
  return (await startTime(Number(pid))) === started;
}

/** Clock ticks from the machine's start to the process's. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // What is dead and only not yet buried counts as gone.
  return state === "Z" || state === "X" ? undefined : fields[18];
}
