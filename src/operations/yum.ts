/** Red Hat's older package manager. @module */
import { rpmKeyOperation } from "./shared/rpm.ts";
import { yumPackagesOperation, yumRepoOperation, yumRpmOperation, yumUpdateOperation } from "./shared/yum.ts";

/**
 * Let rpm trust a key that signs packages.
 * @example
 * yum.key({ src: "https://download.docker.com/linux/centos/gpg" });
 */
export const key = rpmKeyOperation("yum");

/**
 * Add, change or remove a repository.
 * @example
 * yum.repo({ src: "docker-ce", baseUrl: "https://download.docker.com/linux/centos/7/$basearch/stable" });
 */
export const repo = yumRepoOperation("yum");

/**
 * Install or remove the package of an `.rpm` file.
 * @example
 * yum.rpm({ src: "/opt/packages/agent.rpm" });
 */
export const rpm = yumRpmOperation("yum");

/**
 * Upgrade every package that is installed.
 * @example
 * yum.update();
 */
export const update = yumUpdateOperation("yum");

/**
 * Install, upgrade or remove packages, by name or by what they provide. A version is pinned as `name=version`.
 * @example
 * yum.packages({ packages: ["vim", "nginx"], latest: true });
 */
export const packages = yumPackagesOperation("yum");
