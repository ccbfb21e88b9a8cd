/** What the engine is given of this machine. @module */
import type { Settings } from "../config/define.ts";
import type { Connector, ConnectorContext } from "../core/connector.ts";
import type { CommandResult } from "../core/host.ts";
import { linesOf } from "../core/lines.ts";
import { KEPT_OUTPUT } from "../core/output.ts";
import { callSites, loadDeploy, localTransfers } from "../deploy/index.ts";
import { createLocalFiles } from "../deploy/local-files.ts";
import type { Emit } from "../engine/events.ts";
import type { Clock, HostDefinition, RunSettings } from "../engine/settings.ts";
import { loadArgumentCheck } from "../reference/index.ts";
import { runChild } from "./child.ts";
import { unifiedDiff } from "./unified-diff.ts";

/** What differs from run to run. */
export interface RunParts {
  readonly settings: Settings;
  readonly hosts: readonly HostDefinition[];
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly connectorContext: ConnectorContext;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly cwd: string;
  /** Directory of the deploy files. */
  readonly deployDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly givenUp: AbortSignal;
  readonly tellsOutput: boolean;
  readonly onOutput: NonNullable<RunSettings["onOutput"]>;
}

/** Settings for `createRun`. */
export async function runSettings({ settings, deployDir, ...parts }: RunParts): Promise<RunSettings> {
  const { cwd, signal } = parts;
  return {
    ...parts,
    config: settings.config,
    serial: settings.serial,
    noWait: settings.noWait,
    fast: parts.environment["TSINFRA_FAST"] !== "0",
    local: createLocalFiles({ deployDir, cwd }),
    transfers: localTransfers,
    loadDeploy: (file, includedFrom) => loadDeploy(file, { cwd, includedFrom }),
    localShell: command => localShell(command, cwd, signal),
    callSites,
    checkArguments: await loadArgumentCheck(),
    unifiedDiff,
  };
}

/** Run a shell command on this machine. */
async function localShell(command: string, cwd: string, signal: AbortSignal): Promise<CommandResult> {
  const result = await runChild(["/bin/sh", "-c", command], { cwd, env: process.env, signal, keeps: KEPT_OUTPUT });
  return { ...result, stdoutLines: linesOf(result.stdout), stderrLines: linesOf(result.stderr) };
}
