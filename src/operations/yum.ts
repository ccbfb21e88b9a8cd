/** Red Hat's older package manager. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { type DnfPackagesArguments, ensureDnfPackages } from "./shared/dnf.ts";
import { ensureRepository, type RepositoryArguments } from "./shared/repositories.ts";
import { ensureRpm, type RpmFileArguments, rpmKeyOperation } from "./shared/rpm.ts";

/**
 * Let rpm trust a key that signs packages.
 * @example
 * yum.key({ src: "https://download.docker.com/linux/centos/gpg" });
 */
export const key = rpmKeyOperation("yum.key");

/**
 * Add, change or remove a repository.
 * @example
 * yum.repo({ src: "docker-ce", baseUrl: "https://download.docker.com/linux/centos/7/$basearch/stable" });
 */
export const repo = operation<RepositoryArguments>({
  name: "yum.repo",
  positional: ["src"],
  async *steps(host, args) {
    yield* ensureRepository(host, args, "/etc/yum.repos.d");
  },
});

/**
 * Install or remove the package of an `.rpm` file.
 * @example
 * yum.rpm({ src: "/opt/packages/agent.rpm" });
 */
export const rpm = operation<RpmFileArguments>({
  name: "yum.rpm",
  positional: ["src"],
  async *steps(host, args) {
    yield* ensureRpm(host, args, sh`yum remove -y`);
  },
});

/**
 * Upgrade every package that is installed.
 * @example
 * yum.update();
 */
export const update = operation({
  name: "yum.update",
  idempotent: "it always asks yum to upgrade",
  async *steps() {
    yield sh`yum update -y`;
  },
});

/**
 * Install, upgrade or remove packages, by name or by what they provide. A version is pinned as `name=version`.
 * @example
 * yum.packages({ packages: ["vim", "nginx"], latest: true });
 */
export const packages = operation<DnfPackagesArguments>({
  name: "yum.packages",
  positional: ["packages"],
  async *steps(host, args) {
    yield* ensureDnfPackages(host, "yum", args);
  },
});
