/** uv, a package manager of Python. @module */
import { remotePath, sh } from "../core/command.ts";
import { OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { File } from "../facts/files/index.ts";
import { Path } from "../facts/server/index.ts";
import {
  UvInstalledPythonsByImplementation,
  UvInstalledPythonsByVersion,
  UvPipPackages,
  UvToolBinDir,
  UvTools,
} from "../facts/uv.ts";
import { directory } from "./files/directory.ts";
import { notOption } from "./shared/options.ts";
import {
  checkNames,
  ensurePackages,
  type ExtraArguments,
  extraWords,
  type LatestArguments,
  type PackageArguments,
} from "./shared/packages.ts";
import { joinPath } from "./shared/paths.ts";
import { byPackageKey, pythonPackages } from "./shared/python-packages.ts";

/** Options of uv. */
export interface ExtraOptions {
  /** Options for uv, such as `--python` and a path. */
  readonly extraArgs?: ExtraArguments;
}

/** Arguments of `uv.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments, ExtraOptions {
  /** Path of a file of requirements on the host, to install or with `present: false` to remove; uv compares them each time. */
  readonly requirements?: string;
}

/**
 * Install, upgrade or remove packages with `uv pip`, in the environment that uv finds. Versions and extras as pip has them.
 * @example
 * uv.packages({ packages: ["requests>=2.32"], _chdir: "/srv/app" });
 */
export const packages = operation<PackagesArguments>({
  name: "uv.packages",
  positional: ["packages"],
  async *steps(host, { packages: names = [], requirements, present = true, latest = false, extraArgs }) {
    const extra = extraWords(extraArgs);
    const manager = {
      install: sh`${["uv", "pip", "install", "--no-progress", ...extra]}`,
      remove: sh`${["uv", "pip", "uninstall", "--no-progress", ...extra]}`,
      upgrade: sh`${["uv", "pip", "install", "--upgrade", "--no-progress", ...extra]}`,
    };
    if (requirements)
      yield sh`${present ? (latest ? manager.upgrade : manager.install) : manager.remove} -r ${remotePath(requirements)}`;
    if (names.length > 0)
      yield* ensurePackages(
        host,
        byPackageKey(await host.getFact(UvPipPackages)),
        { packages: pythonPackages(host, names), present, latest },
        manager,
      );
    else if (!requirements) host.noop("neither packages nor requirements requested to be (un)installed");
  },
});

/** Arguments of `uv.pythons`. */
export interface PythonsArguments extends ExtraOptions {
  /** Versions: `3.14`, `3.13.7`, `pypy@3.11`. */
  readonly versions: string | readonly string[];
  /** Install them; `false` removes them. Default true. */
  readonly present?: boolean;
  /** Look only at those that uv itself looks after. Default true. */
  readonly managed?: boolean;
}

/**
 * Install or remove Pythons. A version is there when any release of it is.
 * @example
 * uv.pythons({ versions: ["3.14", "3.13"] });
 */
export const pythons = operation<PythonsArguments>({
  name: "uv.pythons",
  positional: ["versions"],
  async *steps(host, { versions, present = true, managed = true, extraArgs }) {
    const names = checkNames(versions);
    if (names.length === 0) return host.noop("no Python versions requested to be (un)installed");
    const [byVersion, byName] = await Promise.all([
      host.getFact(UvInstalledPythonsByVersion, { isManaged: managed }),
      host.getFact(UvInstalledPythonsByImplementation, { isManaged: managed }),
    ]);
    const known = [...Object.keys(byVersion), ...Object.keys(byName)];
    for (const name of names) {
      const isThere = known.some(
        one =>
          one === name ||
          one.startsWith(`${name}.`) ||
          one.startsWith(`${name.replace("@", "-")}-`) ||
          one.startsWith(`${name.replace("@", "-")}.`),
      );
      if (isThere === present) host.noop(`python ${name} is ${present ? "" : "not "}installed`);
      else
        yield sh`${["uv", "python", present ? "install" : "uninstall", "--no-progress", managed && "--managed-python", ...extraWords(extraArgs), name]}`;
    }
  },
});

/** Arguments of `uv.tools`. */
export interface ToolsArguments extends LatestArguments, ExtraOptions {
  /** Name of a package that has programs, or several. */
  readonly tools: string | readonly string[];
  /** Install them; `false` removes them. Default true. */
  readonly present?: boolean;
}

/**
 * Install, upgrade or remove Python programs, each in an environment of its own. Versions and extras as pip has them.
 * @example
 * uv.tools({ tools: ["ruff==0.14.0"] });
 */
export const tools = operation<ToolsArguments>({
  name: "uv.tools",
  positional: ["tools"],
  async *steps(host, { tools: names, present = true, latest = false, extraArgs }) {
    const extra = extraWords(extraArgs);
    const installed = byPackageKey(await host.getFact(UvTools));
    // uv takes one tool at a time.
    for (const wanted of pythonPackages(host, names)) {
      yield* ensurePackages(
        host,
        installed,
        { packages: [present ? wanted : { ...wanted, word: wanted.name }], present, latest },
        {
          install: sh`${["uv", "tool", "install", "--no-progress", ...extra]}`,
          remove: sh`${["uv", "tool", "uninstall", "--no-progress", ...extra]}`,
          upgrade: sh`${["uv", "tool", "install", "--upgrade", "--no-progress", ...extra]}`,
        },
      );
    }
    if (names.length === 0) host.noop("no tools requested to be (un)installed");
  },
});

/**
 * Upgrade every tool that uv has installed.
 * @example
 * uv.toolsUpgradeAll();
 */
export const toolsUpgradeAll = operation<ExtraOptions>({
  name: "uv.toolsUpgradeAll",
  idempotent: "uv finds out itself whether anything is to do",
  async *steps(_, { extraArgs }) {
    yield sh`${["uv", "tool", "upgrade", "--all", ...extraWords(extraArgs)]}`;
  },
});

/**
 * Add the directory of uv's programs to the user's `PATH`.
 * @example
 * uv.toolsUpdateShell();
 */
export const toolsUpdateShell = operation({
  name: "uv.toolsUpdateShell",
  async *steps(host) {
    const [path, programs] = await Promise.all([host.getFact(Path), host.getFact(UvToolBinDir)]);
    if (programs !== undefined && path.split(":").includes(programs))
      return host.noop("uv bin dir is already in the PATH");
    yield sh`uv tool update-shell`;
  },
});

/** Arguments of `uv.venv`. */
export interface VenvArguments extends ExtraOptions {
  /** Directory of the environment: `/srv/app/.venv`. */
  readonly path: string;
  /** Make it; `false` removes it. Default true. */
  readonly present?: boolean;
  /** Version, name or path of the Python to use. */
  readonly python?: string;
  /** Keep the files that are in the directory. Default false. Not with `clearExisting`. */
  readonly allowExisting?: boolean;
  /** Remove the files that are in the directory. Default false. */
  readonly clearExisting?: boolean;
  /** How the files of packages get into the environment. Default: as suits the system. */
  readonly linkMode?: "clone" | "copy" | "hardlink" | "symlink";
  /** Put pip into it. Default false. */
  readonly seed?: boolean;
  /** Let it see the packages of its Python. Default false. */
  readonly sitePackages?: boolean;
}

/**
 * Make or remove a virtual environment.
 * @example
 * uv.venv({ path: "/srv/app/.venv", python: "3.13" });
 */
export const venv = operation<VenvArguments>({
  name: "uv.venv",
  positional: ["path"],
  async *steps(
    host,
    { path, present = true, python, allowExisting, clearExisting, linkMode, seed, sitePackages, extraArgs },
  ) {
    if (allowExisting && clearExisting)
      throw new OperationValueError("`allowExisting` and `clearExisting` cannot both be set");
    if (path.trim() === "") throw new OperationValueError("`path` must not be empty");
    const exists = (await host.getFact(File, { path: joinPath(path, "bin/activate") })).type !== "absent";
    if (exists === present) return host.noop(`venv ${path} ${present ? "exists" : "does not exist"}`);
    if (!present) return yield* directory.steps(host, { path, present });
    const flags = [
      allowExisting && "--allow-existing",
      clearExisting && "--clear",
      seed && "--seed",
      sitePackages && "--site-packages",
    ];
    const values = [
      ...(linkMode ? ["--link-mode", linkMode] : []),
      ...(python ? ["--python", notOption("python", python)] : []),
    ];
    yield sh`${["uv", "venv", ...flags, ...values, ...extraWords(extraArgs), remotePath(path)]}`;
  },
});
