/** Fedora's and Red Hat's package manager. @module */
import { sh } from "../core/command.ts";
import { OperationError, OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { DnfDisabledModules, DnfEnabledModules } from "../facts/dnf.ts";
import { rpmKeyOperation } from "./shared/rpm.ts";
import { yumPackagesOperation, yumRepoOperation, yumRpmOperation, yumUpdateOperation } from "./shared/yum.ts";

/**
 * Let rpm trust a key that signs packages.
 * @example
 * dnf.key({ src: "https://download.docker.com/linux/fedora/gpg" });
 */
export const key = rpmKeyOperation("dnf");

/**
 * Add, change or remove a repository.
 * @example
 * dnf.repo({ src: "docker-ce", baseUrl: "https://download.docker.com/linux/fedora/$releasever/$basearch/stable" });
 */
export const repo = yumRepoOperation("dnf");

/**
 * Install or remove the package of an `.rpm` file.
 * @example
 * dnf.rpm({ src: "https://dl.fedoraproject.org/pub/epel/epel-release-latest-9.noarch.rpm" });
 */
export const rpm = yumRpmOperation("dnf");

/**
 * Upgrade every package that is installed.
 * @example
 * dnf.update();
 */
export const update = yumUpdateOperation("dnf");

/**
 * Install, upgrade or remove packages, by name or by what they provide. A version is pinned as `name=version`.
 * @example
 * dnf.packages({ packages: ["vim", "nginx"], latest: true });
 */
export const packages = yumPackagesOperation("dnf");

/** Arguments of `dnf.module`. */
export interface ModuleArguments {
  /** Name of the module: `nodejs`. */
  readonly module: string;
  /** The stream to enable: `22`. Default: the module's own choice. */
  readonly stream?: string;
  /** Enable it; `false` disables it. Default true. */
  readonly enabled?: boolean;
}

/**
 * Enable a stream of a module, in place of the one that is enabled, or disable the module.
 * @example
 * dnf.module({ module: "postgresql", stream: "16" });
 */
export const module = operation<ModuleArguments>({
  name: "dnf.module",
  positional: ["module", "stream"],
  async *steps(host, { module: name, stream, enabled = true }) {
    if ([name, stream ?? ""].some(word => /^-|[\s:]/.test(word)) || name === "")
      throw new OperationValueError(
        `Not the name of a module or stream: "${name}${stream === undefined ? "" : `:${stream}`}"`,
      );
    if (!enabled) {
      if (stream !== undefined)
        throw new OperationError("A module is disabled with all its streams: `stream` must not be given");
      if ((await host.getFact(DnfDisabledModules)).includes(name)) return host.noop(`dnf module ${name} is disabled`);
      return yield sh`dnf module disable -y ${name}`;
    }
    const streams = await host.getFact(DnfEnabledModules);
    const current = Object.hasOwn(streams, name) ? streams[name] : undefined;
    if (current !== undefined && (stream === undefined || current === stream))
      return host.noop(`dnf module ${name} is enabled (${current})`);
    // dnf refuses to go from one stream to another.
    if (current !== undefined) yield sh`dnf module reset -y ${name}`;
    yield sh`dnf module enable -y ${stream === undefined ? name : `${name}:${stream}`}`;
  },
});
