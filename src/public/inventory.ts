/** Inventories whose data has types. @module */
import type { InventoryEntry } from "../inventory/groups.ts";

/** What an inventory file may export by default: groups by name, a list of hosts, or a function that gives one of them. */
export type InventoryDefinition = InventoryEntry | (() => InventoryEntry | Promise<InventoryEntry>);

/**
 * Check an inventory file while it is written; what its data is stays known, for `InventoryData`.
 * @example
 * ```ts
 * export default defineInventory({
 *   web: { hosts: ["web-1", ["web-2", { sshUser: "ada" }]], data: { port: 8080 } },
 *   db: ["db-1"],
 * });
 * ```
 */
export const defineInventory = <I extends InventoryDefinition>(inventory: I): I => inventory;

/**
 * The data of an inventory's hosts and groups. Each key may be missing: another host or group has it.
 * `I` is the type of what `defineInventory` gave, or of a module whose exports are groups.
 * @example
 * ```ts
 * declare module "tsinfra" {
 *   interface HostData extends InventoryData<typeof inventory> {}
 * }
 * ```
 */
export type InventoryData<I> = { [K in KeyOf<DataIn<I>> & string]?: ValueOf<DataIn<I>, K> };

/** All data in an inventory, as a union: of what is exported by default, or of a module whose exports are groups. */
type DataIn<I> = I extends (...args: never) => infer R
  ? DataIn<Awaited<R>>
  : I extends readonly unknown[]
    ? DataOfHosts<I>
    : { [G in keyof I]: G extends "default" ? DataIn<I[G]> : DataOfGroup<I[G]> }[keyof I];
type DataOfGroup<G> =
  | (G extends { readonly data?: infer D } ? Exclude<D, undefined> : never)
  | (G extends { readonly hosts: infer H } ? DataOfHosts<H> : DataOfHosts<G>);
type DataOfHosts<H> = H extends readonly (infer E)[]
  ? E extends readonly (infer M)[]
    ? Exclude<M, string>
    : never
  : never;

type KeyOf<U> = U extends unknown ? keyof U : never;
type ValueOf<U, K> = U extends unknown ? (K extends keyof U ? U[K] : never) : never;
