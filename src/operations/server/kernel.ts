/** The kernel, its modules, its mounts and its limits. @module */
import { operand, sh } from "../../core/command.ts";
import { OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { KernelModules, Kernel, Mounts, Sysctl, type SysctlValue, sysctlValue } from "../../facts/server/index.ts";
import { line } from "../files/line.ts";
import { checkLine, option } from "../shared/options.ts";

/** Arguments of `server.sysctl`. */
export interface SysctlArguments {
  /** Name of the setting: `net.ipv4.ip_forward`. */
  readonly key: string;
  /** Its value, or several. */
  readonly value: string | number | readonly (string | number)[];
  /** Also write it to `persistFile`, for later starts; default false. */
  readonly persist?: boolean;
  /** Default: `/etc/sysctl.conf`. */
  readonly persistFile?: string;
}

/** Arguments of `server.modprobe`. */
export interface ModprobeArguments {
  /** Name of a kernel module, or several. */
  readonly module: string | readonly string[];
  /** `false`: it must not be loaded. Default true. */
  readonly present?: boolean;
  /** Pay no heed to versions; default false. */
  readonly force?: boolean;
}

/** Arguments of `server.mount`. */
export interface MountArguments {
  /** Directory that it is mounted on. */
  readonly path: string;
  /** `false`: nothing must be mounted there. Default true. */
  readonly mounted?: boolean;
  /** Options it must have, such as `rw`; if it lacks one it is mounted anew with these. */
  readonly options?: readonly string[];
  /** Device; default: as `/etc/fstab` says. */
  readonly device?: string;
  /** Type of the file system; default: as `/etc/fstab` says, or as it is found. */
  readonly fsType?: string;
}

/** Arguments of `server.securityLimit`. */
export interface SecurityLimitArguments {
  /** A user, `@group`, `*` or a range of ids. */
  readonly domain: string;
  /** `soft`, `hard`, or `-` for both. */
  readonly limitType: string;
  /** What is limited: `nofile`, `nproc` … */
  readonly item: string;
  /** A number, or `unlimited`. */
  readonly value: number | string;
}

/**
 * Set a kernel setting, now and if wanted for later starts.
 * @example server.sysctl({ key: "net.ipv4.ip_forward", value: 1, persist: true });
 */
export const sysctl = operation<SysctlArguments>({
  name: "server.sysctl",
  positional: ["key", "value"],
  async *steps(host, { key, value, persist = false, persistFile = "/etc/sysctl.conf" }) {
    if (!/^[^\s=]+$/.test(key))
      throw new OperationValueError(`\`key\` is ${JSON.stringify(key)}, which cannot be the name of a setting`);
    const text = checkLine("value", [value].flat().join(" "));
    const existing = (await host.getFact(Sysctl, { keys: [key] }))[key];
    if (sameValue(existing, sysctlValue(text))) host.noop(`sysctl ${key} is set to ${text}`);
    else yield sh`sysctl ${operand(`${key}=${text}`)}`;
    if (persist)
      yield* line.steps(host, {
        path: persistFile,
        line: `^[[:space:]]*${literal(key)}[[:space:]]*=.*$`,
        replace: `${key} = ${text}`,
      });
  },
});

const sameValue = (one: SysctlValue | undefined, other: SysctlValue): boolean =>
  one !== undefined && [one].flat().join(" ") === [other].flat().join(" ");

/** Text in a basic regular expression. */
const literal = (text: string): string => text.replace(/[\\.*[\]^$]/g, "\\$&");

/**
 * Load kernel modules, or unload them.
 * @example server.modprobe({ module: ["br_netfilter", "overlay"] });
 */
export const modprobe = operation<ModprobeArguments>({
  name: "server.modprobe",
  positional: ["module"],
  async *steps(host, { module, present = true, force = false }) {
    const modules = [module].flat();
    const loaded = await host.getFact(KernelModules);
    // The kernel writes underscores where names have dashes.
    const change = modules.filter(
      name => (Object.hasOwn(loaded, name) || Object.hasOwn(loaded, name.replaceAll("-", "_"))) !== present,
    );
    if (change.length > 0)
      return yield sh`${["modprobe", force && "-f", !present && "-r", "-a", ...change.map(operand)]}`;
    const [noun, verb] = modules.length > 1 ? ["modules", "are"] : ["module", "is"];
    host.noop(`${noun} ${modules.join("/")} ${verb} ${present ? "loaded" : "not loaded"}`);
  },
});

/**
 * Mount a file system, unmount it, or give a mounted one other options. `/etc/fstab` stays as it is: edit it with `files.line`.
 * @example server.mount({ path: "/srv/data", device: "/dev/sdb1", fsType: "ext4", options: ["noatime"] });
 */
export const mount = operation<MountArguments>({
  name: "server.mount",
  positional: ["path"],
  async *steps(host, { path, mounted = true, options = [], device, fsType }) {
    const several = options.find(one => one.includes(","));
    if (several !== undefined)
      throw new OperationValueError(
        `\`options\` holds one option per item, without commas: got ${JSON.stringify(several)}`,
      );
    const mounts = await host.getFact(Mounts);
    const existing = Object.hasOwn(mounts, path) ? mounts[path] : undefined;
    const list = options.length > 0 ? options.join(",") : undefined;
    const noop = () => host.noop(`filesystem ${path} is ${mounted ? "mounted" : "not mounted"}`);
    if (!mounted) return existing ? yield sh`umount ${operand(path)}` : noop();
    if (!existing)
      return yield sh`${["mount", ...option("-t", fsType), ...option("-o", list), device !== undefined && operand(device), operand(path)]}`;
    if (list === undefined || options.every(one => existing.options.includes(one))) return noop();
    const kernel = await host.getFact(Kernel);
    if (kernel.endsWith("BSD"))
      yield sh`mount -o ${`update,${list}`} -t ${existing.type} ${existing.device} ${operand(path)}`;
    else yield sh`mount -o ${`remount,${list}`} ${operand(path)}`;
  },
});

/**
 * Set a limit in `/etc/security/limits.conf`; it holds from the next login on.
 * @example server.securityLimit({ domain: "*", limitType: "soft", item: "nofile", value: 65536 });
 */
export const securityLimit = operation<SecurityLimitArguments>({
  name: "server.securityLimit",
  positional: ["domain", "limitType", "item", "value"],
  async *steps(host, { domain, limitType, item, value }) {
    for (const [name, word] of Object.entries({ domain, limitType, item, value: String(value) })) {
      if (!/^[^\s#]+$/.test(word))
        throw new OperationValueError(`\`${name}\` is ${JSON.stringify(word)}; wanted is one word`);
    }
    const gap = "[[:space:]][[:space:]]*";
    yield* line.steps(host, {
      path: "/etc/security/limits.conf",
      line: `^[[:space:]]*${[domain, limitType, item].map(literal).join(gap)}[[:space:]].*$`,
      replace: [domain, limitType, item, value].join("\t"),
    });
  },
});
