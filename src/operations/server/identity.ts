/** What the host is called, where it is, which languages it speaks. @module */
import { operand, sh } from "../../core/command.ts";
import { OperationError, OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { Directory, File, FindInFile } from "../../facts/files/index.ts";
import { Hostname, Locales, Os, Timezone, Which } from "../../facts/server/index.ts";
import { line } from "../files/line.ts";
import { put } from "../files/put.ts";
import { replace } from "../files/replace.ts";
import { checkLine } from "../shared/options.ts";

/** Arguments of `server.hostname`. */
export interface HostnameArguments {
  /** Name of the host, with or without its domain. */
  readonly hostname: string;
  /** File that keeps the name, on hosts without `hostnamectl`; `false`: none. Default: `/etc/hostname` on Linux, `/etc/myname` on OpenBSD. */
  readonly hostnameFile?: string | false;
}

/** Arguments of `server.timezone`. */
export interface TimezoneArguments {
  /** Name of the zone: `Europe/Amsterdam`, `UTC`. */
  readonly timezone: string;
}

/** Arguments of `server.locale`. */
export interface LocaleArguments {
  /** Name of the locale as `/etc/locale.gen` writes it: `en_GB.UTF-8`. */
  readonly locale: string;
  /** `false`: programs must not find it. Default true. */
  readonly present?: boolean;
}

/**
 * Set the name of the host, now and for later starts.
 * @example server.hostname({ hostname: "web-1.example.com" });
 */
export const hostname = operation<HostnameArguments>({
  name: "server.hostname",
  positional: ["hostname"],
  async *steps(host, { hostname: name, hostnameFile }) {
    checkLine("hostname", name);
    const current = await host.getFact(Hostname);
    const hasHostnamectl = (await host.getFact(Which, { command: "hostnamectl" })) !== undefined;
    const file = hasHostnamectl ? false : (hostnameFile ?? HOSTNAME_FILES[await host.getFact(Os)] ?? false);
    if (current === name) host.noop("hostname is set");
    else yield hasHostnamectl ? sh`hostnamectl set-hostname ${operand(name)}` : sh`hostname ${operand(name)}`;
    if (file) yield* put.steps(host, { content: `${name}\n`, dest: file });
  },
});

const HOSTNAME_FILES: Readonly<Record<string, string>> = { Linux: "/etc/hostname", OpenBSD: "/etc/myname" };

/**
 * Set the time zone of the host.
 * @example server.timezone({ timezone: "Europe/Amsterdam" });
 */
export const timezone = operation<TimezoneArguments>({
  name: "server.timezone",
  positional: ["timezone"],
  async *steps(host, { timezone: zone }) {
    if (!/^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*$/.test(zone))
      throw new OperationValueError(
        `\`timezone\` is ${JSON.stringify(zone)}; wanted is the name of a zone, such as "Europe/Amsterdam"`,
      );
    if ((await host.getFact(Timezone)) === zone) return host.noop("timezone is set");
    // In a container or chroot the program may be there without the service that it talks to.
    const isSystemd = (await host.getFact(Directory, { path: "/run/systemd/system" })).type === "directory";
    if (isSystemd && (await host.getFact(Which, { command: "timedatectl" })))
      return yield sh`timedatectl set-timezone ${operand(zone)}`;
    const path = `/usr/share/zoneinfo/${zone}`;
    yield sh`ls ${path} >/dev/null && ln -sfn ${path} /etc/localtime`;
    if ((await host.getFact(File, { path: "/etc/timezone" })).type === "file")
      yield* put.steps(host, { content: `${zone}\n`, dest: "/etc/timezone" });
  },
});

/**
 * Make a locale available to programs, or take it away.
 * @example server.locale({ locale: "en_GB.UTF-8" });
 */
export const locale = operation<LocaleArguments>({
  name: "server.locale",
  positional: ["locale"],
  async *steps(host, { locale: name, present = true }) {
    if (!/^[\w.@-]+$/.test(name))
      throw new OperationValueError(
        `\`locale\` is ${JSON.stringify(name)}; wanted is the name of one, such as "en_GB.UTF-8"`,
      );
    const isThere = (await host.getFact(Locales)).some(
      one => one === name || (!/\.UTF-?8/i.test(name) && plain(one) === plain(name)),
    );
    const definitions =
      (await host.getFact(FindInFile, { path: LOCALE_GEN, pattern: `^.*${name}[[:space:]]\\+.*$` })) ?? [];
    const [definition] = definitions;
    if (definition === undefined) throw new OperationError(`Locale ${name} not found in ${LOCALE_GEN}`);
    if (definitions.length > 1) throw new OperationError(`Multiple locales matches for ${name} in ${LOCALE_GEN}`);
    if (isThere === present) return host.noop(`locale ${name} is ${present ? "enabled" : "disabled"}`);
    if (present)
      yield* replace.steps(host, { path: LOCALE_GEN, text: `^${definition}$`, replace: definition.replace("# ", "") });
    else yield* line.steps(host, { path: LOCALE_GEN, line: `^${definition}$`, replace: `# ${definition}` });
    yield sh`locale-gen`;
  },
});

const LOCALE_GEN = "/etc/locale.gen";
/** `en_GB.ISO-8859-15` is listed as `en_GB.iso885915`. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9._@]/g, "");
