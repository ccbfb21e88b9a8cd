/** Facts about LXD. @module */
import { sh } from "../core/command.ts";
import type { NoArguments } from "../core/fact.ts";
import { jsonFact, type JsonRecord } from "./shared/json.ts";

/** A container as `lxc list` prints it. */
export interface LxdContainer extends JsonRecord {
  readonly name: string;
  /** `Running`, `Stopped`, `Frozen` … */
  readonly status: string;
}

/** All containers. */
export const LxdContainers = jsonFact<NoArguments, readonly LxdContainer[]>("lxd.LxdContainers", {
  requires: "lxc",
  command: () => sh`lxc list --format json --fast`,
  empty: [],
});
