/** Git repositories and git's configuration. @module */
import { remotePath, sh, type Shell } from "../core/command.ts";
import { fact } from "../core/fact.ts";
import { firstLine, splitOnce } from "./shared/lines.ts";

/** Arguments of facts about one repository. */
export interface RepositoryArguments {
  /** Directory of the working tree. */
  readonly repo: string;
}

/** The branch or tag that is checked out, as `git describe --all` names it; absent where there is no repository. */
export const GitBranch = fact<RepositoryArguments, string | undefined>({
  name: "git.GitBranch",
  requires: "git",
  command: ({ repo }) => inRepository(repo, sh`git describe --all`),
  parse: lines => lines.join("\n").replaceAll(/(?:heads|tags)\//g, ""),
  empty: undefined,
});

/** Tags of a repository. */
export const GitTag = fact<RepositoryArguments, readonly string[]>({
  name: "git.GitTag",
  requires: "git",
  command: ({ repo }) => inRepository(repo, sh`git tag`),
  parse: lines => lines.filter(line => line !== ""),
  empty: [],
});

/** Upstream of the branch that is checked out: `origin/main`; absent where there is none. */
export const GitTrackingBranch = fact<RepositoryArguments, string | undefined>({
  name: "git.GitTrackingBranch",
  requires: "git",
  command: ({ repo }) => inRepository(repo, sh`git status --branch --porcelain`),
  parse: lines => /\.{3}(\S+)\b/.exec(lines[0] ?? "")?.[1],
  empty: undefined,
});

/** Arguments of `git.GitConfig`. */
export interface GitConfigArguments {
  /** Directory of a repository, for its own settings; default: the user's. */
  readonly repo?: string;
  /** Without `repo`: the host's settings in place of the user's. Default false. */
  readonly system?: boolean;
}

/** Settings, each with all of its values in order. */
export const GitConfig = fact<GitConfigArguments, Readonly<Record<string, readonly string[]>>>({
  name: "git.GitConfig",
  requires: "git",
  command({ repo, system = false }) {
    if (repo !== undefined) return inRepository(repo, sh`git config --local -l`);
    return sh`git config ${system ? "--system" : "--global"} -l || true`;
  },
  parse: parseConfig,
  empty: {},
});

/** Arguments of `git.GitLocalCommit`. */
export interface GitLocalCommitArguments extends RepositoryArguments {
  /** Branch, tag or other name of a commit. Default `HEAD`. */
  readonly ref?: string;
}

/** Hash of a commit; absent where the repository or the name is unknown. */
export const GitLocalCommit = fact<GitLocalCommitArguments, string | undefined>({
  name: "git.GitLocalCommit",
  requires: "git",
  command: ({ repo, ref = "HEAD" }) =>
    inRepository(repo, sh`git rev-parse --verify --quiet ${`${ref}^{commit}`} || true`),
  parse: hashOf,
  empty: undefined,
});

/** Arguments of `git.GitRemoteBranchCommit`. */
export interface GitRemoteBranchCommitArguments extends RepositoryArguments {
  /** Name of the remote. Default `origin`. */
  readonly remote?: string;
  /** Branch on the remote. Default: the one it has checked out. */
  readonly branch?: string;
}

/** Hash of the last commit of a branch, asked from the remote; absent where it cannot be reached or has no such branch. */
export const GitRemoteBranchCommit = fact<GitRemoteBranchCommitArguments, string | undefined>({
  name: "git.GitRemoteBranchCommit",
  requires: "git",
  command: ({ repo, remote = "origin", branch }) =>
    inRepository(
      repo,
      sh`GIT_TERMINAL_PROMPT=0 git ls-remote -- ${[remote, branch === undefined ? "HEAD" : `refs/heads/${branch}`]} 2>/dev/null || true`,
    ),
  parse: hashOf,
  empty: undefined,
});

/** True if every submodule is checked out at the commit that the repository wants; also where there is none. */
export const GitSubmodulesCurrent = fact<RepositoryArguments, boolean>({
  name: "git.GitSubmodulesCurrent",
  requires: "git",
  command: ({ repo }) => inRepository(repo, sh`git submodule status --recursive`),
  // The first column is a space for one that is right, and says otherwise what is wrong.
  parse: lines => lines.every(line => line.startsWith(" ") || line === ""),
  empty: true,
});

function inRepository(repo: string, command: Shell): Shell {
  const at = remotePath(repo);
  return sh`! test -d ${at} || (cd ${at} && ${command})`;
}

function parseConfig(lines: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const settings = new Map<string, string[]>();
  const current: { values?: string[] } = {};
  for (const line of lines) {
    const [key, value] = splitOnce(line, "=") ?? [line, ""];
    const last = current.values?.length ?? 0;
    // A line that is no setting goes on with the value before it.
    if (/^[A-Za-z][^\s=]*$/.test(key) && (line.includes("=") || line.includes("."))) {
      const values = settings.get(key) ?? [];
      settings.set(key, values);
      values.push(value);
      current.values = values;
    } else if (current.values) current.values[last - 1] += `\n${line}`;
  }
  return Object.fromEntries(settings);
}

function hashOf(lines: readonly string[]): string | undefined {
  return /^(?:[0-9a-f]{64}|[0-9a-f]{40})\b/.exec(firstLine(lines))?.[0];
}
