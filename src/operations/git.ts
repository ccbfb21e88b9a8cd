/** Git repositories and git's configuration. @module */
import { operand, remotePath, sh, type Shell } from "../core/command.ts";
import { OperationError, OperationValueError } from "../core/errors.ts";
import type { OperationHost } from "../core/host.ts";
import { operation, type Steps } from "../core/operation.ts";
import { Directory, File } from "../facts/files/index.ts";
import {
  GitBranch,
  GitConfig,
  GitLocalCommit,
  GitRemoteBranchCommit,
  GitSubmodulesCurrent,
  GitTag,
  GitTrackingBranch,
} from "../facts/git.ts";
import { splitOnce } from "../facts/shared/lines.ts";
import { directory } from "./files/directory.ts";
import { checkAttributes, chown, type OwnerArguments } from "./shared/attributes.ts";
import { notOption } from "./shared/options.ts";
import { joinPath } from "./shared/paths.ts";
import { keyscan } from "./ssh.ts";

/** Arguments of `git.config`. */
export interface ConfigArguments {
  /** Name of the setting: `user.name`. */
  readonly key: string;
  /** The value that it is to have. */
  readonly value: string;
  /** Add the value to those that the setting has already. Default false: it has this value alone. */
  readonly multiValue?: boolean;
  /** Directory of a repository, for a setting of its own. Default: the user's settings. */
  readonly repo?: string;
  /** Without `repo`: the host's settings in place of the user's. Default false. */
  readonly system?: boolean;
}

/**
 * Give a setting of git a value.
 * @example
 * git.config({ key: "user.name", value: "Ada Lovelace" });
 */
export const config = operation<ConfigArguments>({
  name: "git.config",
  positional: ["key", "value"],
  async *steps(host, { key, value, multiValue = false, repo: at, system = false }) {
    const settings = await currentSettings(host, at, system);
    const name = canonicalKey(key);
    const current = Object.hasOwn(settings, name) ? (settings[name] ?? []) : [];
    if (multiValue ? current.includes(value) : current.length === 1 && current[0] === value)
      return host.noop(`git config ${key} is set to ${value}`);
    const git =
      at === undefined ? sh`git config ${system ? "--system" : "--global"}` : sh`${inDirectory(at)} git config --local`;
    // git by itself would not replace several values by one.
    yield sh`${[git, multiValue && "--add", !multiValue && current.length > 1 && "--replace-all", operand(key), value]}`;
  },
});

async function currentSettings(
  host: OperationHost,
  repository: string | undefined,
  system: boolean,
): Promise<Readonly<Record<string, readonly string[]>>> {
  if (repository === undefined) return host.getFact(GitConfig, { system });
  const found = await host.getFact(Directory, { path: joinPath(repository, ".git") });
  return found.type === "absent" ? {} : host.getFact(GitConfig, { repo: repository });
}

/** A key as git lists it: section and name in lower case, what stands between them as it is. */
const canonicalKey = (key: string): string =>
  key.replace(/^[^.]*/, part => part.toLowerCase()).replace(/[^.]*$/, part => part.toLowerCase());

/** Arguments of `git.repo`. */
export interface RepoArguments extends OwnerArguments {
  /** Where to clone from: a URL or a path on the host. */
  readonly src: string;
  /** Directory of the working tree. */
  readonly dest: string;
  /** Branch or tag to check out. Default: the remote's own choice, and later the one that is checked out. */
  readonly branch?: string;
  /** Pull what is new on the remote's branch. Default true. */
  readonly pull?: boolean;
  /** Put local commits on top of what is pulled, in place of a merge. Default false. */
  readonly rebase?: boolean;
  /** Fetch the key of the server first, if it is not known; whoever answers is believed. Default false. */
  readonly sshKeyscan?: boolean;
  /** Check out submodules at the commits that the repository wants. Default false. */
  readonly updateSubmodules?: boolean;
  /** With `updateSubmodules`: those of submodules too. Default false. */
  readonly recursiveSubmodules?: boolean;
  /** Clone only this many commits. Default: all. */
  readonly depth?: number;
}

/**
 * Clone a repository, and bring its working tree up to date.
 * Owner and group are given to all of it whenever something was done.
 * @example
 * git.repo({ src: "https://github.com/example/site.git", dest: "/srv/site", branch: "main" });
 */
export const repo = operation<RepoArguments>({
  name: "git.repo",
  positional: ["src", "dest"],
  async *steps(host, args) {
    const { src, dest, branch, updateSubmodules, recursiveSubmodules, user, group } = args;
    notOption("src", src);
    notOption("branch", branch ?? "");
    checkAttributes(args);
    yield* directory.steps(host, { path: dest });
    if (args.sshKeyscan) yield* scanKey(host, src);

    const isRepository = (await host.getFact(Directory, { path: joinPath(dest, ".git") })).type !== "absent";
    const commands: Shell[] = [];
    if (!isRepository) {
      commands.push(
        sh`${["clone", src, args.depth !== undefined && "--depth", args.depth, branch && "--branch", branch, "."]}`,
      );
    } else commands.push(...(await updateCommands(host, args)));
    if (updateSubmodules && (commands.length > 0 || !(await submodulesCurrent(host, dest)))) {
      commands.push(sh`${["submodule", "update", "--init", recursiveSubmodules && "--recursive"]}`);
    }
    if (commands.length === 0) return host.noop(`git repository ${dest} is already up to date`);
    for (const command of commands) yield sh`${inDirectory(dest)} git ${command}`;
    if (user || group) yield chown(dest, args, { recursive: true });
  },
});

/** Without a repository of its own, git would answer for one further up. */
const submodulesCurrent = async (host: OperationHost, dest: string): Promise<boolean> => {
  const isKnown = (await host.getFact(GitLocalCommit, { repo: dest })) !== undefined;
  return isKnown && (await host.getFact(GitSubmodulesCurrent, { repo: dest }));
};

/** What brings a repository that is there to the wanted branch or tag, and that to where the remote has it. */
async function updateCommands(
  host: OperationHost,
  { dest, branch, pull = true, rebase }: RepoArguments,
): Promise<readonly Shell[]> {
  const commands: Shell[] = [];
  const current = await host.getFact(GitBranch, { repo: dest });
  const isTag = branch !== undefined && (await host.getFact(GitTag, { repo: dest })).includes(branch);
  if (isTag && (await isAt(host, dest, branch))) return [];
  if (branch !== undefined && current !== branch) commands.push(sh`fetch`, sh`checkout ${branch}`);
  if (isTag) return [...commands, sh`checkout ${branch}`];
  if (pull && !(await isPulled(host, dest, branch ?? current))) commands.push(sh`${["pull", rebase && "--rebase"]}`);
  return commands;
}

/** Whether what is checked out is the commit that a tag names. */
async function isAt(host: OperationHost, repository: string, tag: string): Promise<boolean> {
  const [head, wanted] = await Promise.all([
    host.getFact(GitLocalCommit, { repo: repository }),
    host.getFact(GitLocalCommit, { repo: repository, ref: `refs/tags/${tag}` }),
  ]);
  return head !== undefined && head === wanted;
}

/** Whether a branch is where the remote has it; false when that cannot be told. */
async function isPulled(
  host: OperationHost,
  repository: string,
  branch: string | undefined,
  remote = "origin",
): Promise<boolean> {
  if (branch === undefined) return false;
  const [local, there] = await Promise.all([
    host.getFact(GitLocalCommit, { repo: repository, ref: `refs/heads/${branch}` }),
    host.getFact(GitRemoteBranchCommit, { repo: repository, remote, branch }),
  ]);
  return local !== undefined && local === there;
}

async function* scanKey(host: OperationHost, src: string): Steps {
  const [, hostname, port] = /^(?:ssh:\/\/)?[\w.-]+@([0-9A-Za-z.-]+)(?::(\d+)\/)?/.exec(src) ?? [];
  if (hostname === undefined) throw new OperationError(`Could not parse domain (to SSH keyscan) from: ${src}`);
  yield* keyscan.steps(host, { hostname, ...(port === undefined ? {} : { port: Number(port) }) });
}

/** Arguments of `git.worktree`. */
export interface WorktreeArguments extends OwnerArguments {
  /** Directory of the working tree. */
  readonly worktree: string;
  /** Directory of the repository that it belongs to; needed to make it. */
  readonly repo?: string;
  /** Check out no branch. Default false. */
  readonly detached?: boolean;
  /** Make this branch and check it out. */
  readonly newBranch?: string;
  /** Commit, branch or tag to check out. Default: what the repository has checked out. */
  readonly commitish?: string;
  /** Pull what is new on the branch it follows. Default true. */
  readonly pull?: boolean;
  /** Put local commits on top of what is pulled, in place of a merge. Default false. */
  readonly rebase?: boolean;
  /** The remote and its branch to pull from: `["origin", "main"]`. Default: the branch it follows, if any. */
  readonly fromRemoteBranch?: readonly [remote: string, branch: string];
  /** Make it; `false` removes it. Default true. */
  readonly present?: boolean;
  /** Do not ask whether `repo` is there, since an operation before this one makes it. Default false. */
  readonly assumeRepoExists?: boolean;
  /** Make it even if its branch is checked out elsewhere, remove it even with changes. Default false. */
  readonly force?: boolean;
}

/**
 * Make, update or remove a further working tree of a repository.
 * @example
 * git.worktree({ repo: "/srv/site", worktree: "/srv/site-preview", commitish: "preview" });
 */
export const worktree = operation<WorktreeArguments>({
  name: "git.worktree",
  positional: ["worktree"],
  async *steps(host, args) {
    const { worktree: path, present = true, pull = true, rebase, force, user, group } = args;
    notOption("commitish", args.commitish ?? "");
    notOption("newBranch", args.newBranch ?? "");
    for (const word of args.fromRemoteBranch ?? []) notOption("fromRemoteBranch", word);
    checkAttributes(args);
    const exists = (await host.getFact(Directory, { path })).type !== "absent";
    if (!present) {
      if (!exists) return host.noop(`git worktree ${path} does not exist`);
      return yield sh`${[inDirectory(path), "git", "worktree", "remove", ".", force && "--force"]}`;
    }
    if (!exists) {
      yield await addWorktree(host, args);
      if (user || group) yield chown(path, args, { recursive: true });
      return;
    }
    if (!pull) return host.noop("Pull is disabled");
    const source = await pullSource(host, args);
    if (!source) return host.noop(`git worktree ${path} follows no remote branch`);
    if (await isCurrent(host, path, source)) return host.noop(`git worktree ${path} is already up to date`);
    yield sh`${[inDirectory(path), "git", "pull", rebase && "--rebase", ...(args.fromRemoteBranch ?? [])]}`;
  },
});

async function addWorktree(
  host: OperationHost,
  { worktree: path, repo: at, detached, newBranch, commitish, force, assumeRepoExists }: WorktreeArguments,
): Promise<Shell> {
  if (at === undefined) throw new OperationError("`repo` must be specified when creating a worktree");
  if (!assumeRepoExists && (await host.getFact(Directory, { path: joinPath(at, ".git") })).type === "absent") {
    throw new OperationError(`The following folder is not a valid GIT repository : ${at}`);
  }
  const branch = newBranch ? ["-b", newBranch] : detached ? ["--detach"] : [];
  return sh`${[inDirectory(at), "git", "worktree", "add", ...branch, force && "--force", remotePath(path), commitish]}`;
}

/** The remote and branch that a working tree is pulled from. */
async function pullSource(
  host: OperationHost,
  { worktree: path, fromRemoteBranch }: WorktreeArguments,
): Promise<readonly [string, string] | undefined> {
  if (fromRemoteBranch) {
    if (!Array.isArray(fromRemoteBranch) || fromRemoteBranch.length !== 2)
      throw new OperationValueError('`fromRemoteBranch` must be a remote and a branch, such as ["origin", "main"]');
    return fromRemoteBranch;
  }
  const tracking = await host.getFact(GitTrackingBranch, { repo: path });
  return tracking === undefined ? undefined : (splitOnce(tracking, "/") ?? ["", tracking]);
}

async function isCurrent(
  host: OperationHost,
  path: string,
  [remote, branch]: readonly [string, string],
): Promise<boolean> {
  if (remote === "") return false;
  const [local, there] = await Promise.all([
    host.getFact(GitLocalCommit, { repo: path }),
    host.getFact(GitRemoteBranchCommit, { repo: path, remote, branch }),
  ]);
  return local !== undefined && local === there;
}

/** Arguments of `git.bareRepo`. */
export interface BareRepoArguments extends OwnerArguments {
  /** Directory of the repository. */
  readonly path: string;
  /** Make it; `false` removes it. Default true. */
  readonly present?: boolean;
}

/**
 * Make or remove a bare repository, one to push to.
 * @example
 * git.bareRepo({ path: "/srv/git/site.git", user: "git" });
 */
export const bareRepo = operation<BareRepoArguments>({
  name: "git.bareRepo",
  positional: ["path"],
  async *steps(host, { path, present = true, ...owner }) {
    checkAttributes(owner);
    yield* directory.steps(host, { path, present });
    if (!present) return;
    const head = await host.getFact(File, { path: joinPath(path, "HEAD") });
    const { user, group } = owner;
    if (head.type === "absent") {
      yield sh`git init --bare ${remotePath(path)}`;
      if (user || group) yield chown(path, owner, { recursive: true });
    } else if ((user && head.user !== user) || (group && head.group !== group))
      yield chown(path, owner, { recursive: true });
    else host.noop(`git repository ${path} exists`);
  },
});

const inDirectory = (path: string): Shell => sh`cd ${remotePath(path)} &&`;
