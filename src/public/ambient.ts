/** The ambient context of deploy files: each name stands for the current host's own. @module */
import type { Config } from "../core/config.ts";
import type { CurrentHost } from "../core/host.ts";
import { currentScope, type Inventory, type Local, type Logger, nameAmbient, type RunState } from "../core/scope.ts";

/** The host that the deploy file is being evaluated for. To find it in the inventory compare names: `other.name === host.name`. */
export const host: CurrentHost = ambient("host");
/** All hosts of the run, for their names, groups, data and facts. */
export const inventory: Inventory = ambient("inventory");
/** Settings for the operations that follow in this file, on this host. */
export const config: Config = ambient("config");
/** How far the run is. */
export const state: RunState = ambient("state");
/** Say something in the run's output. */
export const logger: Logger = ambient("logger");
/** The control machine. */
export const local: Local = ambient("local");

type Ambient = "host" | "inventory" | "config" | "state" | "logger" | "local";

function ambient<T extends object>(name: Ambient): T {
  const current = (): object => currentScope(`"${name}"`)[name];
  const proxy = new Proxy({} as T, {
    get: (_, key) => Reflect.get(current(), key),
    set: (_, key, value) => Reflect.set(current(), key, value),
    has: (_, key) => Reflect.has(current(), key),
    ownKeys: () => Reflect.ownKeys(current()),
    getOwnPropertyDescriptor: (_, key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(current(), key);
      return descriptor && { ...descriptor, configurable: true };
    },
  });
  return nameAmbient(proxy, name);
}
