/** The process that holds a host's one connection. @module */
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { linesFrom } from "../../../core/lines.ts";
import { pause, settlesWithin } from "../../shared/wait.ts";
import { linkAskpass, type Prompt, takeQuestions } from "./askpass.ts";
import type { OwnDirectory } from "./own-directory.ts";

/** A connection that other ssh processes use through its socket. */
export interface Master {
  readonly socket: string;
  /** What the server says that it is: `OpenSSH_9.2p1`. */
  readonly software: string;
  /** Resolves with ssh's last words when the connection is gone. */
  readonly gone: Promise<string>;
  isGone(): boolean;
  close(): Promise<void>;
}

/** ssh ended before the connection was there. */
export class MasterError extends Error {}

export interface MasterOptions {
  /** The program, its options and the host. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where it is given a directory of its own. */
  readonly directory: OwnDirectory;
  readonly signal: AbortSignal;
  /** Answer what ssh asks; `undefined` refuses. */
  answer(prompt: Prompt): Promise<string | undefined>;
}

/** ssh, ended when this process is: nobody else would, after it has been killed. With it goes all that it has started and what waits for its end. */
const GUARDED = `exec 3<&0; "$@" </dev/null 3<&- & s=$!; { read -r _ <&3; kill "$s"; } 2>/dev/null & exec 3<&-; wait "$s"; c=$?; trap '' TERM; kill 0 2>/dev/null; exit "$c"`;
/** How often questions and the socket are looked for, in milliseconds. */
const LOOK = 15;
/** How long ssh may take to end, in milliseconds. */
const GRACE = 1000;

/** Connect and log in. Throws `MasterError` with what ssh said, or the signal's reason. */
export async function startMaster({ argv, env, directory: own, signal, answer }: MasterOptions): Promise<Master> {
  signal.throwIfAborted();
  const directory = own.part();
  await mkdir(directory, { mode: 0o700 });
  const askpass = await linkAskpass(directory);
  const socket = join(directory, "s");
  const [program = "ssh", ...args] = argv;
  const child = Bun.spawn(
    [
      "/bin/sh",
      "-c",
      GUARDED,
      "ssh",
      program,
      "-N",
      "-o",
      "ControlMaster=yes",
      "-o",
      "ControlPersist=no",
      "-o",
      `ControlPath=${socket}`,
      ...args,
    ],
    {
      env: { ...env, ...askpass },
      detached: true,
      stdin: "pipe",
      stdout: "ignore",
      stderr: "pipe",
    },
  );
  own.hold(child.pid, child.exited);
  let isGone = false;
  let software = "";
  let said = "";
  const read = async (): Promise<void> => {
    for await (const line of linesFrom(child.stderr)) {
      software ||= /^debug1: Remote protocol version [\d.]+, remote software version (\S+)/.exec(line)?.[1] ?? "";
      if (!CHATTER.test(line)) said = `${said}${line}\n`.slice(-SAID);
    }
  };
  const gone = Promise.all([read(), child.exited]).then(() => {
    isGone = true;
    return said.trim();
  });
  const close = async (): Promise<void> => {
    if (isGone) return;
    child.stdin.end();
    if (await settlesWithin(child.exited, GRACE)) return;
    // A terminated ssh ends its sessions first, which a dead host does not answer.
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
    await child.exited;
  };
  try {
    while (!(await exists(socket))) {
      if (isGone) throw new MasterError(await gone);
      await takeQuestions(directory, answer);
      await pause(LOOK, signal);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { socket, software, gone, isGone: () => isGone, close };
}

/** What ssh says while all is well. */
const CHATTER = /^(debug\d: |Authenticated to |Transferred: |Bytes per second: )/;
/** As much of its last words as is kept. */
const SAID = 4000;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
