/** Python's packages and virtual environments. @module */
import { remotePath, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { File } from "../facts/files/index.ts";
import { PipPackages } from "../facts/pip.ts";
import { directory } from "./files/directory.ts";
import { notOption, option } from "./shared/options.ts";
import {
  ensurePackages,
  type ExtraArguments,
  extraWords,
  type LatestArguments,
  type PackageArguments,
} from "./shared/packages.ts";
import { joinPath } from "./shared/paths.ts";
import { byPackageKey, pythonPackages } from "./shared/python-packages.ts";

/** Arguments of `pip.venv`. */
export interface VenvArguments {
  /** Directory of the environment. */
  readonly path: string;
  /** Name or path of the Python to use. */
  readonly python?: string;
  /** Let it see the host's own packages. Default false. */
  readonly sitePackages?: boolean;
  /** Copy files in place of links. Default false. */
  readonly alwaysCopy?: boolean;
  /** Make it; `false` removes it. Default true. */
  readonly present?: boolean;
}

/** Arguments of `pip.virtualenv`. */
export interface VirtualenvArguments extends VenvArguments {
  /** Make it with Python's own `venv` in place of virtualenv. Default false. */
  readonly venv?: boolean;
}

/**
 * Make or remove a virtual environment with virtualenv.
 * @example
 * pip.virtualenv({ path: "/srv/app/venv", python: "python3.12" });
 */
export const virtualenv = operation<VirtualenvArguments>({
  name: "pip.virtualenv",
  positional: ["path"],
  async *steps(host, { path, python, venv: ofPython, sitePackages, alwaysCopy, present = true }) {
    // An empty directory is no environment.
    const exists = (await host.getFact(File, { path: joinPath(path, "bin/activate") })).type !== "absent";
    if (exists === present) return host.noop(`virtualenv ${path} ${present ? "exists" : "does not exist"}`);
    if (!present) return yield* directory.steps(host, { path, present });
    const command = ofPython
      ? [remotePath(python ?? "python"), "-m", "venv"]
      : ["virtualenv", ...option("-p", python && notOption("python", python))];
    yield sh`${[...command, sitePackages && "--system-site-packages", alwaysCopy && (ofPython ? "--copies" : "--always-copy"), remotePath(path)]}`;
  },
});

/**
 * Make or remove a virtual environment with Python's own `venv`.
 * @example
 * pip.venv({ path: "/srv/app/venv", python: "python3" });
 */
export const venv = operation<VenvArguments>({
  name: "pip.venv",
  positional: ["path"],
  async *steps(host, args) {
    yield* virtualenv.steps(host, { ...args, venv: true });
  },
});

/** Arguments of `pip.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {
  /** Path of a file of requirements on the host, to install or with `present: false` to remove; pip compares them each time. */
  readonly requirements?: string;
  /** Name or path of pip. Default `pip`. */
  readonly pip?: string;
  /** Directory of a virtual environment to work in, made if it is not there. */
  readonly virtualenv?: string;
  /** How to make it. */
  readonly virtualenvKwargs?: Omit<VirtualenvArguments, "path">;
  /** Options for `pip install`. */
  readonly extraInstallArgs?: ExtraArguments;
}

/**
 * Install, upgrade or remove packages, for the host or in a virtual environment.
 * Versions and extras as pip has them: `flask>=3,<4`, `uvicorn[standard]`.
 * @example
 * pip.packages({ packages: ["flask>=3", "gunicorn==23.0.0"], virtualenv: "/srv/app/venv", virtualenvKwargs: { venv: true } });
 */
export const packages = operation<PackagesArguments>({
  name: "pip.packages",
  positional: ["packages"],
  async *steps(
    host,
    { packages: names, present = true, latest = false, requirements, virtualenv: environment, ...args },
  ) {
    if (environment) yield* virtualenv.steps(host, { ...args.virtualenvKwargs, path: environment });
    const path = environment ? `${environment.replace(/\/+$/, "")}/bin/${args.pip ?? "pip"}` : (args.pip ?? "pip");
    const pip = remotePath(path);
    const manager = {
      install: sh`${[pip, "install", ...extraWords(args.extraInstallArgs)]}`,
      remove: sh`${pip} uninstall --yes`,
      upgrade: sh`${[pip, "install", ...extraWords(args.extraInstallArgs), "--upgrade"]}`,
    };
    if (requirements !== undefined)
      yield sh`${present ? (latest ? manager.upgrade : manager.install) : manager.remove} -r ${remotePath(requirements)}`;
    if (names === undefined || names.length === 0) return;
    const installed = byPackageKey(await host.getFact(PipPackages, { pip: path }));
    yield* ensurePackages(host, installed, { packages: pythonPackages(host, names), present, latest }, manager);
  },
});
