/** Where ssh processes and this one meet: a directory for one run, gone with it. @module */
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeAskpass } from "./askpass.ts";

const PREFIX = "tsinfra-ssh-";
const NAME = /^tsinfra-ssh-(\d+)-\w+$/;

/**
 * A directory of this user alone, and the process groups that use it. When this process ends without having removed it
 * (a second Ctrl-C, for one), they are ended and it is removed then. What runs left that were killed is removed when the next one is made.
 */
export class OwnDirectory {
  readonly path: string;
  /** Settles when nothing is left of runs that were killed. */
  readonly tidied: Promise<void>;
  readonly #groups = new Set<number>();
  #parts = 0;

  /** Nothing is waited for: there is no moment in which it exists and is not known. */
  constructor(parent = tmpdir()) {
    this.path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
    process.once("exit", this.#leave);
    try {
      writeFileSync(join(this.path, PLACE), placeOfProcess() ?? "");
      writeAskpass(this.path);
    } catch (error) {
      this.#leave();
      throw error;
    }
    this.tidied = tidy(parent).catch(() => undefined);
  }

  /** Path of a directory below it that nobody else is given; to be made. */
  part(): string {
    return join(this.path, `${++this.#parts}`);
  }

  /** A process group works here, until its leader has ended. */
  hold(leader: number, ended: Promise<unknown>): void {
    this.#groups.add(leader);
    const release = (): void => void this.#groups.delete(leader);
    ended.then(release, release);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    process.off("exit", this.#leave);
  }

  readonly #leave = (): void => {
    process.off("exit", this.#leave);
    for (const leader of this.#groups) {
      try {
        process.kill(-leader, "SIGKILL");
      } catch {
        // It has just ended.
      }
    }
    removeNow(this.path);
  };
}

/** What was about to make a file there, one of those processes or this one, is done with it the second time at the latest. */
function removeNow(path: string, tries = 3): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    if (tries > 1) removeNow(path, tries - 1);
  }
}

/** Name of the file that says where the number of the process means something. */
const PLACE = "place";

/** This start of this machine, and the space of process numbers in it; `undefined` where nobody tells: no process can be said to have ended there. */
function placeOfProcess(): string | undefined {
  try {
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

/** Remove what belongs to this user and to processes that have ended. */
async function tidy(parent: string): Promise<void> {
  const place = placeOfProcess();
  if (place === undefined) return;
  for (const name of await readdir(parent)) {
    const pid = Number(NAME.exec(name)?.[1]);
    const path = join(parent, name);
    if (pid > 0 && isGone(pid) && isLeft(path, place)) await rm(path, { recursive: true, force: true });
  }
}

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function isLeft(path: string, place: string): boolean {
  try {
    const found = lstatSync(path);
    return found.isDirectory() && found.uid === process.getuid?.() && readFileSync(join(path, PLACE), "utf8") === place;
  } catch {
    return false;
  }
}
