import { sh } from "../../core/command.ts";
import { OperationError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { checkName, commandWords, each } from "../shared/containers.ts";
import { option } from "../shared/options.ts";

/** Arguments of `docker.compose`. */
export interface ComposeArguments {
  /** Directory of the project on the host. Compose looks there for `compose.yaml` and the like. */
  readonly projectDirectory: string;
  /** The project's files, the later ones over the earlier; default: what compose finds. */
  readonly files?: string | readonly string[];
  /** Name of the project; default: that of the directory. */
  readonly projectName?: string;
  /** `true` (default) brings the project up, `false` takes it down. */
  readonly present?: boolean;
  /** Which images to fetch when it is brought up; default: compose's own. */
  readonly pull?: "always" | "missing" | "never";
  /** Build images before; default false. */
  readonly build?: boolean;
  /** Make containers again although nothing about them changed; default false. */
  readonly forceRecreate?: boolean;
  /** Remove containers of services that the project no longer has; default true. */
  readonly removeOrphans?: boolean;
  /** Remove the project's volumes when it is taken down; default false. */
  readonly removeVolumes?: boolean;
  /** Command of compose; default `docker compose`. */
  readonly composeCommand?: string | readonly string[];
}

/**
 * Bring a project of docker compose up, or take it down.
 * @example docker.compose({ projectDirectory: "/srv/app", projectName: "app", _env: { TAG: "1.0" } });
 */
export const compose = operation<ComposeArguments>({
  name: "docker.compose",
  positional: ["projectDirectory"],
  idempotent: "Compose is run every time, and changes only what differs from its files",
  async *steps(
    _,
    {
      projectDirectory,
      files,
      projectName,
      present = true,
      pull,
      removeOrphans = true,
      composeCommand = "docker compose",
      ...args
    },
  ) {
    checkName("docker.compose", "projectDirectory", projectDirectory);
    if (pull !== undefined && !PULL.includes(pull))
      throw new OperationError(
        `docker.compose pull must be one of "always", "missing", "never", not ${JSON.stringify(pull)}`,
      );
    const up = [
      "up",
      "-d",
      ...option("--pull", pull),
      args.build && "--build",
      args.forceRecreate && "--force-recreate",
    ];
    const down = ["down", args.removeVolumes && "-v"];
    const program = commandWords("composeCommand", composeCommand);
    yield sh`${[...program, "--project-directory", projectDirectory, ...option("--project-name", projectName), ...each("-f", files), ...(present ? up : down), removeOrphans && "--remove-orphans"]}`;
  },
});

const PULL: readonly string[] = ["always", "missing", "never"];
