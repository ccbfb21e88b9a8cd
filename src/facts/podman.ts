/** Facts about podman. @module */
import { sh } from "../core/command.ts";
import { jsonFact, type JsonRecord } from "./shared/json.ts";

/** All containers, whatever their state, as `podman ps` prints them. */
export const PodmanPs = jsonFact<readonly JsonRecord[]>("podman.PodmanPs", {
  requires: "podman",
  command: () => sh`podman ps --format=json --all`,
  empty: [],
});

/** What `podman system info` prints: host, store, registries, version. */
export const PodmanSystemInfo = jsonFact<JsonRecord>("podman.PodmanSystemInfo", {
  requires: "podman",
  command: () => sh`podman system info --format=json`,
  empty: {},
});
