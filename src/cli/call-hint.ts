/** What to call in place of a function that there is not. @module */
import type { Host, HostControl, OperationHost } from "../core/host.ts";
import { nearest } from "../core/nearest.ts";
import type { Inventory, Local, Logger } from "../core/scope.ts";

type Functions<T> = { readonly [K in keyof T as T[K] extends (...args: never) => unknown ? K : never]: true };

/** The functions of what deploy files and operations are given. */
const OURS: {
  readonly host: Functions<
    Host & HostControl & Pick<OperationHost, "anticipate" | "warn" | "showDiff" | "tempDir" | "tempFile">
  >;
  readonly inventory: Pick<Functions<Inventory>, "getHost" | "getGroup">;
  readonly logger: Functions<Logger>;
  readonly local: Functions<Local>;
} = {
  host: {
    getFact: true,
    when: true,
    withArguments: true,
    loop: true,
    log: true,
    noop: true,
    run: true,
    disconnect: true,
    connect: true,
    sleep: true,
    now: true,
    anticipate: true,
    warn: true,
    showDiff: true,
    tempDir: true,
    tempFile: true,
  },
  inventory: { getHost: true, getGroup: true },
  logger: { debug: true, info: true, warn: true, error: true },
  local: { include: true, shell: true },
};

/** What other tools call such functions, without capitals and underscores; names that are near to ours need no line. */
const FOREIGN: Readonly<Record<string, string>> = {
  "host.runshellcommand": "host.run",
  "host.shell": "host.run",
  "host.exec": "host.run",
  "host.execute": "host.run",
  "host.command": "host.run",
  "host.runcommand": "host.run",
  "host.fact": "host.getFact",
  "host.reloadfact": "host.getFact",
  "host.createfact": "host.getFact",
  "host.putfile": "files.put",
  "host.upload": "files.put",
  "host.getfile": "files.get",
  "host.download": "files.get",
  "inventory.getgroups": "inventory.groups",
  "inventory.gethosts": "inventory.hosts",
  "inventory.getactivehosts": "inventory.hosts",
  "inventory.iteractivehosts": "inventory.hosts",
  "inventory.iterallhosts": "inventory.hosts",
  "inventory.host": "inventory.getHost",
  "inventory.group": "inventory.getGroup",
  "logger.warning": "logger.warn",
  "logger.log": "logger.info",
  "logger.notice": "logger.info",
  "logger.trace": "logger.debug",
  "logger.critical": "logger.error",
  "logger.fatal": "logger.error",
  "logger.exception": "logger.error",
  "local.run": "local.shell",
  "local.exec": "local.shell",
  "local.import": "local.include",
};

/** For what a runtime says about a call of what is no function; `undefined` where it says nothing about one, or nothing helps. */
export async function callHint(message: string): Promise<string | undefined> {
  const at = message.indexOf(" is not a function");
  // A message may be long, and one word.
  const called = message.slice(Math.max(0, at - LONGEST_CALL), Math.max(0, at));
  const [, owner = "", name] = /(?:([A-Za-z_$][\w$]*)|[)\]])\.([A-Za-z_$][\w$]*)$/.exec(called) ?? [];
  if (name === undefined) return undefined;
  const spelled = plain(name);
  if (isOurs(owner)) {
    const foreign = FOREIGN[`${owner}.${spelled}`];
    if (foreign !== undefined) return `It is "${foreign}"`;
    const near = nearest(name, Object.keys(OURS[owner]));
    return near === undefined ? undefined : `Did you mean "${owner}.${near}"?`;
  }
  const operation = await nearestOperation(owner, name);
  if (operation !== undefined) return `Did you mean "${operation}"?`;
  // Whatever it is called, it may be one of ours: where the name is the same but for how it is spelled.
  const same = Object.values(OURS)
    .flatMap(members => Object.keys(members))
    .find(member => member !== name && plain(member) === spelled);
  return same === undefined ? undefined : `Did you mean "${same}"?`;
}

/** Characters of `owner.name`. */
const LONGEST_CALL = 100;

const isOurs = (owner: string): owner is keyof typeof OURS => Object.hasOwn(OURS, owner);

/** Without what other tools spell in another way. */
const plain = (name: string): string => name.replaceAll("_", "").toLowerCase();

async function nearestOperation(module: string, name: string): Promise<string | undefined> {
  const { allOperations } = await import("../registry.ts");
  const own = [...allOperations.keys()].filter(candidate => candidate.startsWith(`${module}.`));
  return nearest(`${module}.${name}`, own);
}
