/** `local.shell`: commands of the control machine. @module */
import { CommandError } from "../../core/errors.ts";
import { KEPT_OUTPUT } from "../../core/output.ts";
import type { Facts } from "../host/facts.ts";
import type { RunSettings } from "../settings.ts";

const MIB = 1024 * 1024;

/** How `local.shell` runs commands. */
export interface LocalShellOptions {
  readonly ignoreErrors?: boolean;
}

/** Run commands on the control machine, one after the other, for what they print. From there they may change the host of these facts. */
export const localShell = (
  { localShell: run }: Pick<RunSettings, "localShell">,
  facts: Pick<Facts, "changedBy">,
  command: string | readonly string[],
  options?: LocalShellOptions,
): Promise<string> => facts.changedBy(() => outputOf(run, command, options));

async function outputOf(
  run: RunSettings["localShell"],
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
