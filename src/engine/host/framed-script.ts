/** How a command is written into a shell that others share. Pure. @module */
import { quoted, raw, sh, type Shell } from "../../core/command.ts";

/** How a group of commands runs. */
export interface GroupOptions {
  readonly successExitCodes: readonly number[];
  /** What `beginGroup` returned; absent: a group of their own. */
  readonly group?: string;
  /** A shell test of ours: it runs in the shell itself, and what it prints is dropped. */
  readonly only?: Shell | undefined;
}
export interface GroupMember extends GroupOptions {
  readonly group: string;
}

/** A command that runs only while all went well in its group. */
export function guarded(run: Shell, { group, only, successExitCodes }: GroupMember): Shell {
  const condition = only ? sh`[ $${group} = 0 ] && { ${only}; } >/dev/null 2>&1` : sh`[ $${group} = 0 ]`;
  return sh`if ${condition}; then ${run}; case $${CODE} in ${raw(successExitCodes.join("|") || "''")}) ;; *) ${group}=1;; esac; else ${group}=1; ${CODE}=skipped; fi`;
}

/** Names of its variables: what is evaluated in it must not come upon them. */
export const VARIABLE = "tsinfra_";
export const CODE = `${VARIABLE}code`;

/**
 * A command so that nothing of what it does to its shell is left, and nothing that others did is there.
 * It has a process of its own: in a subshell, `$$` would be the shell that all share. What must not or cannot be an
 * argument is evaluated in a subshell all the same: `reachesShell` says what must not be.
 */
export function runs(command: Shell, program: string, inPlace: boolean): Shell {
  if (inPlace) return sh`{ ${command}\n}`;
  // Where a program is may have changed since it was run last.
  if (isProgram(command.wire())) return sh`hash -r; ${command}`;
  return isHidden(command) ? sh`(eval ${quoted(command)})` : sh`${program} -c ${quoted(command)}`;
}

/** Arguments are there for all to see, and one is at most 128 KiB on Linux. */
const isHidden = (command: Shell): boolean => command.hasSecret || Buffer.byteLength(command.wire()) > LONGEST_ARGUMENT;
/** Bytes. */
const LONGEST_ARGUMENT = 120_000;

/** True if a command may ask for the process of its shell, or of the one that started it: it must have both as they are where it runs alone. */
export const reachesShell = (command: Shell, isOurs = false): boolean =>
  command.wire().includes("PPID") || ((isOurs || isHidden(command)) && OWN_PROCESS.test(command.wire()));
const OWN_PROCESS = /\$\$|\$\{\$/;

/** One program with plain words: it cannot change the shell, and needs none of its own to keep it from that. */
const isProgram = (line: string): boolean => PROGRAM.test(line);
const PROGRAM =
  /^true$|^(?:chmod|chown|chgrp|cp|ln|mkdir|mv|rm|rmdir|touch|systemctl|apt-get|sed)(?: (?:[A-Za-z0-9_@%+=:,./-]+|'[^']*'))+$/;
