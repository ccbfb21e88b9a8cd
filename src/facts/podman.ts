/** Facts about podman. @module */
import { sh } from "../core/command.ts";
import type { NoArguments } from "../core/fact.ts";
import { jsonFact, type JsonRecord } from "./shared/json.ts";

/** All containers, whatever their state, as `podman ps` prints them. */
export const PodmanPs = jsonFact<NoArguments, readonly JsonRecord[]>("podman.PodmanPs", {
  requires: "podman",
  command: () => sh`podman ps --format=json --all`,
  empty: [],
});

/** What `podman system info` prints: host, store, registries, version. */
export const PodmanSystemInfo = jsonFact<NoArguments, JsonRecord>("podman.PodmanSystemInfo", {
  requires: "podman",
  command: () => sh`podman system info --format=json`,
  empty: {},
});
