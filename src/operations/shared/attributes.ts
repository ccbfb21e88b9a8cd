/** Owner, group and mode of paths on a host. @module */
import { remotePath, sh, type Shell } from "../../core/command.ts";
import { OperationTypeError, OperationValueError } from "../../core/errors.ts";
import type { PathStat } from "../../facts/files/index.ts";
import { checkMode, effectiveMode, hasMode, setsId } from "./mode.ts";

/** Arguments of operations that give a path an owner and a mode. */
export interface OwnerArguments {
  /** Name of the owner; default: left as it is, for something new the user who runs the operation. */
  readonly user?: string;
  /** Name of the group; default: left as it is, for something new the group of the user who runs the operation. */
  readonly group?: string;
}
export interface AttributeArguments extends OwnerArguments {
  /** Octal digits such as `"644"`, or a change such as `"u+x"`; default: left as it is, for something new what the host's umask gives. */
  readonly mode?: string;
}

/** The attributes that were given, checked; those not given are left out. */
export function checkAttributes({ user, group, mode }: AttributeArguments): AttributeArguments {
  checkOwner("user", user);
  checkOwner("group", group);
  const checked = checkMode(mode);
  return { ...(user ? { user } : {}), ...(group ? { group } : {}), ...(checked ? { mode: checked } : {}) };
}

function checkOwner(argument: string, name: string | undefined): void {
  if (name === undefined) return;
  if (typeof name !== "string")
    throw new OperationTypeError(`\`${argument}\` must be a string, not ${JSON.stringify(name)}`);
  if (/^-|[:\0\n]/.test(name))
    throw new OperationValueError(`\`${argument}\` is ${JSON.stringify(name)}, which cannot be a name`);
}

/** How attributes are changed. */
interface ChangeOptions {
  /** Of a directory and all in it. */
  readonly recursive?: boolean;
  /** Of a symbolic link itself. */
  readonly link?: boolean;
  /** Owner before mode. */
  readonly ownerFirst?: boolean;
}

/** Commands that give a path the wanted attributes; those that `found` has already need none. Without `found` all are given. */
export function attributeCommands(
  path: string,
  wanted: AttributeArguments,
  found?: PathStat,
  options: ChangeOptions = {},
): readonly Shell[] {
  const { mode } = wanted;
  const changesOwner = needsOwner(wanted, found);
  const special = mode !== undefined && setsId(mode);
  const changesMode = mode !== undefined && (!found || !hasMode(found, mode) || (changesOwner && special));
  const owner = changesOwner ? [chown(path, wanted, options)] : [];
  const bits = changesMode ? [chmod(path, effectiveMode(found, mode), options)] : [];
  // A change of owner takes set-user-ID and set-group-ID away.
  return options.ownerFirst || special ? [...owner, ...bits] : [...bits, ...owner];
}

const needsOwner = ({ user, group }: OwnerArguments, found: PathStat | undefined): boolean =>
  Boolean((user && user !== found?.user) || (group && group !== found?.group));

const chmod = (path: string, mode: string, { recursive }: ChangeOptions): Shell =>
  sh`${["chmod", recursive && "-R", mode, remotePath(path)]}`;

/** Give a path an owner, a group or both. One of them must be given. */
export function chown(path: string, { user, group }: OwnerArguments, { recursive, link }: ChangeOptions = {}): Shell {
  const flags = [recursive && "-R", link && "-h"];
  if (!user) return sh`${["chgrp", ...flags, group, remotePath(path)]}`;
  return sh`${["chown", ...flags, group ? `${user}:${group}` : user, remotePath(path)]}`;
}
