/** Facts about OpenVZ. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { json, type JsonRecord } from "./shared/json.ts";

/** All containers, by their number (CTID), as `vzlist` prints them. */
export const OpenvzContainers = fact<NoArguments, Readonly<Record<string, JsonRecord>>>({
  name: "vzctl.OpenvzContainers",
  requires: "vzlist",
  command: () => sh`vzlist -a -j`,
  parse: lines =>
    Object.fromEntries(json<readonly JsonRecord[]>(lines).map(({ ctid, ...container }) => [String(ctid), container])),
  empty: {},
});
