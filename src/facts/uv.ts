/** uv, a package manager of Python. @module */
import { sh, type Shell } from "../core/command.ts";
import { type CommandFact, fact, type NoArguments } from "../core/fact.ts";
import { json } from "./shared/json.ts";
import { firstLine } from "./shared/lines.ts";
import { type Packages, packagesFact, packagesOf } from "./shared/packages.ts";

/** Arguments of facts about Pythons. */
export interface UvPythonsArguments {
  /** Only those that uv itself looks after. Default true. */
  readonly isManaged?: boolean;
}

/** Version of uv as it prints it; absent where it is not installed. */
export const UvVersion = uvLine("uv.UvVersion", sh`uv --version`);
/** Directory of the Pythons that uv installs; absent where there is no uv. */
export const UvPythonDir = uvLine("uv.UvPythonDir", sh`uv python dir 2>/dev/null`);
/** Directory of the environments of tools; absent where there is no uv. */
export const UvToolDir = uvLine("uv.UvToolDir", sh`uv tool dir 2>/dev/null`);
/** Directory of the programs of tools; absent where there is no uv. */
export const UvToolBinDir = uvLine("uv.UvToolBinDir", sh`uv tool dir --bin 2>/dev/null`);

/** Packages in the environment that uv works in. */
export const UvPipPackages = fact<NoArguments, Packages>({
  name: "uv.UvPipPackages",
  requires: "uv",
  // Without an environment uv fails, and there are no packages.
  command: () => sh`uv pip list --format json 2>/dev/null || true`,
  parse: lines =>
    packagesOf(
      json<readonly { readonly name: string; readonly version: string }[]>(lines).map(({ name, version }) => [
        name,
        version,
      ]),
    ),
  empty: {},
});

/** Tools that uv has installed. */
export const UvTools = packagesFact({
  name: "uv.UvTools",
  requires: "uv",
  command: () => sh`uv tool list 2>/dev/null`,
  line: /^([\w.+-]+) v(\S+)/,
});

/** Versions of the Pythons that uv could install or has, by their full name. */
export const UvAvailablePythonsByImplementation = pythons(
  "uv.UvAvailablePythonsByImplementation",
  false,
  "implementation",
);
/** Full names of the Pythons that uv could install or has, by version. */
export const UvAvailablePythonsByVersion = pythons("uv.UvAvailablePythonsByVersion", false, "version");
/** Versions of the Pythons that are installed, by their full name. */
export const UvInstalledPythonsByImplementation = pythons(
  "uv.UvInstalledPythonsByImplementation",
  true,
  "implementation",
);
/** Full names of the Pythons that are installed, by version. */
export const UvInstalledPythonsByVersion = pythons("uv.UvInstalledPythonsByVersion", true, "version");

function uvLine(name: string, command: Shell): CommandFact<object, string | undefined> {
  return fact<object, string | undefined>({
    name,
    requires: "uv",
    command: () => command,
    parse: firstLine,
    empty: undefined,
  });
}

function pythons(
  name: string,
  isInstalled: boolean,
  by: "implementation" | "version",
): CommandFact<UvPythonsArguments, Packages> {
  return fact<UvPythonsArguments, Packages>({
    name,
    requires: "uv",
    command: ({ isManaged = true }) =>
      sh`${["uv", "python", "list", isManaged && "--managed-python", isInstalled && "--only-installed", "--output-format=json"]}`,
    parse: lines =>
      packagesOf(
        json<readonly { readonly key: string; readonly version: string }[]>(lines).map(({ key, version }) =>
          by === "version" ? [version, key] : [key, version],
        ),
      ),
    empty: {},
  });
}
