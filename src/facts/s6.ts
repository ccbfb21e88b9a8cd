/** Facts about s6-rc services, as the `s6` front end manages them. @module */
import { operand, sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { splitOnce } from "./shared/lines.ts";
import type { ServiceStatuses } from "./shared/services.ts";

/** Services of the live state, by name: whether they are up. */
export const S6LiveStatus = fact<NoArguments, ServiceStatuses>({
  name: "s6.S6LiveStatus",
  requires: "s6",
  command: () => sh`s6 live status`,
  parse: lines => Object.fromEntries(lines.map(line => [line.split("/")[0]!, line.endsWith("/up")])),
  empty: {},
});

/** Arguments of `s6.S6RepositoryList`. */
export interface S6RepositoryListArguments {
  /** Directory of the repository; default: the one that the front end is configured for. */
  readonly repository?: string;
}

/** Names of the sets in a repository, except the working set `current`. */
export const S6RepositoryList = fact<S6RepositoryListArguments, readonly string[]>({
  name: "s6.S6RepositoryList",
  requires: ({ repository }) => (repository === undefined ? "s6" : "s6-rc-repo-list"),
  command: ({ repository }) =>
    repository === undefined ? sh`s6 repository list` : sh`s6-rc-repo-list -r ${repository}`,
  parse: lines => lines.filter(name => name !== "current"),
  empty: [],
});

/** Arguments of `s6.S6SetStatus`. */
export interface S6SetStatusArguments extends S6RepositoryListArguments {
  /** The set; default: `current`, the working set. */
  readonly set?: string;
}

/** Services of a set, by name: `masked`, `usable`, `active` or `always`. */
export const S6SetStatus = fact<S6SetStatusArguments, Readonly<Record<string, string>>>({
  name: "s6.S6SetStatus",
  requires: ({ repository, set }) => (repository === undefined && set === undefined ? "s6" : "s6-rc-set-status"),
  command: ({ repository, set }) =>
    repository === undefined && set === undefined
      ? sh`s6 set status`
      : sh`s6-rc-set-status ${[...(repository === undefined ? [] : ["-r", repository]), operand(set ?? "current")]}`,
  parse: lines =>
    Object.fromEntries(
      lines.map(line => {
        const found = splitOnce(line, "/");
        if (!found) throw new SyntaxError(`Not a service and what is prescribed for it: ${JSON.stringify(line)}`);
        return found;
      }),
    ),
  empty: {},
});
