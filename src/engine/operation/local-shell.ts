/** `local.shell`: commands of the control machine. @module */
import { CommandError } from "../../core/errors.ts";
import { KEPT_OUTPUT } from "../../core/output.ts";
import type { Engine } from "../engine.ts";
import type { HostState } from "../host-state.ts";
import type { RunSettings } from "../settings.ts";

const MIB = 1024 * 1024;

/** How `local.shell` runs commands. */
export interface LocalShellOptions {
  readonly ignoreErrors?: boolean;
}

/** The same where it may change the host that it is run for; and while executing all hosts, which wait for it. */
export const localShellFor = (
  { settings, stage }: Pick<Engine, "settings" | "stage">,
  { facts }: HostState,
  command: string | readonly string[],
  options?: LocalShellOptions,
): Promise<string> => facts.changedBy(() => localShell(settings, command, options), stage === "execute");

/** Run commands on the control machine, one after the other, for what they print. */
export async function localShell(
  { localShell: run }: Pick<RunSettings, "localShell">,
  command: string | readonly string[],
  { ignoreErrors = false }: LocalShellOptions = {},
): Promise<string> {
  const outputs: string[] = [];
  for (const line of [command].flat()) {
    const { exitCode, stdout, stderr, isCut } = await run(line);
    if (exitCode !== 0 && !ignoreErrors)
      throw new CommandError(`Command failed with exit code ${exitCode} on the control machine: ${line}`, {
        exitCode,
        stdout,
        stderr,
        hint: stderr.trim() || undefined,
      });
    // Half of an output would pass for the whole.
    if (isCut)
      throw new CommandError(`Command printed more than ${KEPT_OUTPUT / MIB} MiB on the control machine: ${line}`, {
        exitCode,
        stdout,
        stderr,
        hint: "Send what it prints to a file, or print less: `| tail`, `| grep`",
      });
    outputs.push(stdout.replace(/\n$/, ""));
  }
  return outputs.join("\n");
}
