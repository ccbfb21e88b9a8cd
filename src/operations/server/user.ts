/** Users and groups. @module */
import { operand, Secret, sh, type Shell, type Word } from "../../core/command.ts";
import { OperationValueError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { Groups, Os, type UserAccount, Users } from "../../facts/server/index.ts";
import { directory } from "../files/directory.ts";
import { option } from "../shared/options.ts";
import { userAuthorizedKeys } from "./user-authorized-keys.ts";

/** Arguments of `server.group`. */
export interface GroupArguments {
  /** Name of the group. */
  readonly group: string;
  /** `false`: there must be no such group. Default true. */
  readonly present?: boolean;
  /** Give a new group an id of those for the system; the BSDs do not have any. Default false. */
  readonly system?: boolean;
  /** Id of a new group; default: the next that is free. */
  readonly gid?: number | string;
}

/** Arguments of `server.user`. */
export interface UserArguments {
  /** Name of the user. */
  readonly user: string;
  /** `false`: there must be no such user. Default true. */
  readonly present?: boolean;
  /** Home directory; default: as it is, for a new user `/home/NAME`. */
  readonly home?: string;
  /** Login shell; default: as it is, for a new user what the host gives. */
  readonly shell?: string;
  /** Primary group; default: as it is, for a new user one of the same name. */
  readonly group?: string;
  /** Secondary groups; default: as they are. */
  readonly groups?: readonly string[];
  /** Add `groups` to those the user is in; `false` takes the others away. Default false. */
  readonly append?: boolean;
  /** Public keys that may log in as the user: keys, or paths of local files with keys. */
  readonly publicKeys?: string | readonly string[];
  /** Remove every key that is not among `publicKeys`; default false. */
  readonly deleteKeys?: boolean;
  /** Make the home directory, and give it to the user; default true. */
  readonly ensureHome?: boolean;
  /** Have a new user's home directory made with the host's starter files; default false. */
  readonly createHome?: boolean;
  /** Give a new user an id of those for the system; the BSDs do not have any. Default false. */
  readonly system?: boolean;
  /** Id of a new user; default: the next that is free. */
  readonly uid?: number;
  /** Full name, or whatever is to stand there. */
  readonly comment?: string;
  /** `false`: a new user may have the id of another. Default true. */
  readonly unique?: boolean;
  /** Password as the host keeps it: encrypted, as `openssl passwd -6` prints it. Default: as it is, for a new user none. */
  readonly password?: string | Secret;
}

const FREEBSD = "FreeBSD";
const isBsd = (os: string): boolean => os.includes("BSD");

/**
 * Make sure that there is a group, or none.
 * @example server.group({ group: "docker", system: true });
 */
export const group = operation<GroupArguments>({
  name: "server.group",
  freshLogin: true,
  positional: ["group"],
  async *steps(host, { group: name, present = true, system = false, gid }) {
    checkName("group", name);
    const isThere = (await host.getFact(Groups)).includes(name);
    const os = await host.getFact(Os);
    if (isThere === present) return host.noop(`group ${name} ${present ? "exists" : "does not exist"}`);
    if (!present) yield os === FREEBSD ? sh`pw groupdel -n ${name}` : sh`groupdel ${operand(name)}`;
    else if (os === FREEBSD) yield sh`pw groupadd ${["-n", name, ...option("-g", gid)]}`;
    else yield sh`groupadd ${[system && !isBsd(os) && "-r", name, ...option("--gid", gid)]}`;
  },
});

/**
 * Make sure that there is a user as described, with home and keys, or none.
 * @example server.user({ user: "ada", shell: "/bin/bash", groups: ["sudo"], append: true, publicKeys: "keys/ada.pub" });
 */
export const user = operation<UserArguments>({
  name: "server.user",
  freshLogin: true,
  positional: ["user"],
  async *steps(host, { user: name, present = true, ...args }) {
    checkName("user", name);
    for (const one of args.groups ?? []) checkName("groups", one);
    const accounts = await host.getFact(Users);
    const groups = await host.getFact(Groups);
    const existing = Object.hasOwn(accounts, name) ? accounts[name] : undefined;
    const os = await host.getFact(Os);
    if (!present) {
      if (!existing) return host.noop(`user ${name} does not exist`);
      return yield os === FREEBSD ? sh`pw userdel -n ${name}` : sh`userdel ${name}`;
    }
    const home = args.home ?? (existing ? existing.home : `/home/${name}`);
    // A group of that name cannot be made again: the new user joins it.
    const group = args.group ?? (!existing && groups.includes(name) ? name : undefined);
    yield* existing ? change(os, name, existing, { ...args, home, group }) : create(os, name, { ...args, home, group });
    if (!home) return;
    const owner = { user: name, group: group ?? existing?.group ?? (await primaryGroup(host, name)) ?? name };
    if (args.ensureHome ?? true) yield* directory.steps(host, { path: home, ...owner, noFailOnLink: true });
    if (args.publicKeys === undefined) return;
    yield* userAuthorizedKeys.steps(host, {
      ...owner,
      publicKeys: args.publicKeys,
      deleteKeys: args.deleteKeys,
      authorizedKeyDirectory: `${home}/.ssh`,
    });
  },
});

const primaryGroup = async (host: OperationHost, name: string): Promise<string | undefined> =>
  (await host.getFact(Users))[name]?.group;

type Wanted = Omit<UserArguments, "user" | "present">;

function* create(
  os: string,
  name: string,
  { home, shell, group, groups = [], system, uid, comment, unique = true, createHome, password }: Wanted,
) {
  const isFreebsd = os === FREEBSD;
  const options = [
    ...option("-d", home),
    ...option("-s", shell),
    ...option("-g", group),
    ...option("-G", groups.length > 0 ? groups.join(",") : undefined),
    system && !isBsd(os) && "-r",
    ...option(isFreebsd ? "-u" : "--uid", uid),
    ...option("-c", comment || undefined),
    !unique && "-o",
    createHome ? "-m" : !isFreebsd && "-M",
  ];
  if (!isFreebsd) yield sh`useradd ${[...options, ...passwordOption(password), name]}`;
  else if (password) yield sh`${printed(password)} | pw useradd -n ${name} -H 0 ${options}`;
  else yield sh`pw useradd -n ${name} ${options}`;
}

/** `echo` takes some words for options, and some shells' reads backslashes. */
function printed(password: string | Secret): Shell {
  const secret = Secret.of(password);
  return /^-|\\/.test(secret.reveal()) ? sh`printf ${"%s\n"} ${secret}` : sh`echo ${secret}`;
}

function* change(
  os: string,
  name: string,
  existing: UserAccount,
  { home, shell, group, groups = [], append, comment, password }: Wanted,
) {
  const lacking = groups.filter(one => !existing.groups.includes(one));
  const changesGroups = append
    ? lacking.length > 0
    : groups.length > 0 && (lacking.length > 0 || existing.groups.some(one => !groups.includes(one)));
  const changesPassword = Boolean(password) && text(existing.password) !== text(password);
  const options: Word = [
    ...differing("-d", home, existing.home),
    ...differing("-s", shell, existing.shell),
    ...differing("-g", group, existing.group),
    ...(changesGroups ? [append && "-a", "-G", groups.join(",")] : []),
    ...differing("-c", comment, existing.comment),
    ...(changesPassword && os !== FREEBSD ? passwordOption(password) : []),
  ];
  if (changesPassword && os === FREEBSD && password) yield sh`${printed(password)} | pw usermod -n ${name} -H 0`;
  if (options.length === 0) return;
  yield os === FREEBSD ? sh`pw usermod -n ${name} ${options}` : sh`usermod ${options} ${name}`;
}

const differing = (name: string, wanted: string | undefined, existing: string | undefined): readonly string[] =>
  wanted && wanted !== existing ? [name, wanted] : [];
const passwordOption = (password: string | Secret | undefined): readonly (string | Secret)[] =>
  password ? ["-p", Secret.of(password)] : [];

const text = (value: string | Secret | undefined): string | undefined =>
  value instanceof Secret ? value.reveal() : value;

/** A name stands between options and in lists. */
function checkName(argument: string, name: string): void {
  if (/^-|[\s:,/]/.test(name) || name === "")
    throw new OperationValueError(`\`${argument}\` is ${JSON.stringify(name)}, which cannot be a name`);
}
