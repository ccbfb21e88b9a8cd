/** Telling a command's output from what the login shell's start-up files print, and learning its process id. @module */
import { randomBytes } from "node:crypto";
import { MOST_BEFORE } from "../../core/connect-failure.ts";
import { beforeOurLine } from "../shared/output.ts";
import { inOwnGroup, inPosixShell } from "./login-shell.ts";

/** A command line that says where its output begins. */
export interface MarkedLine {
  readonly line: string;
  readonly stdout: MarkFilter;
  readonly stderr: MarkFilter;
}

/**
 * The line run by `/bin/sh`, whatever the login shell is, in the login shell's own place:
 * so its process id is that of the process group, where the server makes one. sshd ends processes on request only for users other than root.
 */
export function markLine(
  line: string,
  { pty, leadsGroup }: { readonly pty: boolean; readonly leadsGroup: boolean },
): MarkedLine {
  const mark = randomBytes(8).toString("hex");
  // On a terminal both streams are one.
  const announce = pty ? `echo ${mark} $$` : `echo ${mark} $$; echo ${mark} >&2`;
  const announced = `${announce}; ${line}`;
  return {
    line: inPosixShell(leadsGroup ? announced : inOwnGroup(announced)),
    stdout: new MarkFilter(mark),
    stderr: pty ? MarkFilter.open() : new MarkFilter(mark),
  };
}

/** As much as is kept of what comes before the mark: the reason, if the command never begins. */
const MOST_NOISE = 64 * 1024;

/** Holds a stream back until its mark has come. */
export class MarkFilter {
  /** What the mark carried: the process id. */
  pid: number | undefined;
  /** Resolves when the mark has come. */
  readonly begun: Promise<void>;
  readonly #begin: () => void;
  readonly #mark: string;
  readonly #pattern: RegExp;
  #held: Buffer | undefined = Buffer.alloc(0);
  #before = 0;

  constructor(mark: string) {
    this.#mark = mark;
    this.#pattern = new RegExp(`${mark}(?: (\\d+))?\\r?\\n`);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.begun = promise;
    this.#begin = resolve;
  }
  /** A filter that holds nothing back. */
  static open(): MarkFilter {
    const filter = new MarkFilter("");
    filter.#release(NOTHING);
    return filter;
  }
  get hasBegun(): boolean {
    return this.#held === undefined;
  }
  /** So much came before the mark that it is not waited for any more. */
  get isDrowned(): boolean {
    return this.#before > MOST_BEFORE;
  }
  /** What came before the mark, if it never came: whatever was run instead speaks there. */
  get noise(): string {
    return beforeOurLine(this.#held?.toString().trim() ?? "", this.#mark);
  }
  /** What of the chunk is the command's own. */
  pass(chunk: Buffer): Buffer {
    if (this.#held === undefined) return chunk;
    const held = Buffer.concat([this.#held, chunk]);
    // A line that only repeats what was to be run has it too, but not like this.
    const found = this.#pattern.exec(held.toString("latin1"));
    if (found) {
      const pid = Number(found[1]);
      if (pid > 1) this.pid = pid;
      return this.#release(held.subarray(found.index + found[0].length));
    }
    this.#before += chunk.length;
    this.#held = Buffer.from(held.subarray(-MOST_NOISE));
    return NOTHING;
  }
  #release(held: Buffer): Buffer {
    this.#held = undefined;
    this.#begin();
    return held;
  }
}
const NOTHING = Buffer.alloc(0);
