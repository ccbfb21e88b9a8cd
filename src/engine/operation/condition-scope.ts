/** What a condition can reach when it is asked: the host whose operation it decides, and nothing that would take time or declare something. @module */
import type { Config } from "../../core/config.ts";
import { DeployError } from "../../core/errors.ts";
import type { OperationHandle } from "../../core/handle.ts";
import type { Host } from "../../core/host.ts";
import { type Inventory, inScope, type Local, type Logger, type RunState, type Scope } from "../../core/scope.ts";
import type { Engine } from "../engine.ts";
import type { OperationCall } from "../host-state.ts";
import type { Asks } from "./conditions.ts";
import { hostFacade, inventoryFacade, passiveHost } from "./facade.ts";

/** How the conditions of an operation are asked. */
export const asksFor =
  (engine: Engine, call: OperationCall): Asks =>
  (where, condition) =>
    inScope(new ConditionScope(engine, call, where), condition);

class ConditionScope implements Scope {
  readonly #engine: Engine;
  readonly #call: OperationCall;
  readonly #where: string;

  constructor(engine: Engine, call: OperationCall, where: string) {
    this.#engine = engine;
    this.#call = call;
    this.#where = where;
  }

  get host(): Host {
    const { config, data, host, how } = this.#call;
    return hostFacade(this.#engine, host, () => ({
      point: { context: how.all, config, data: [data] },
      within: what => this.#refuse(what),
      loop: items => items,
      asking: what => this.asking(what),
    }));
  }
  get inventory(): Inventory<Host> {
    return inventoryFacade(this.#engine, state =>
      state === this.#call.host ? this.host : passiveHost(this.#engine, state),
    );
  }
  get config(): Config {
    return Object.freeze({ ...this.#call.config });
  }
  get state(): RunState {
    return this.#engine.runState();
  }
  get logger(): Logger {
    return this.#engine.logger(this.#call.host.name);
  }
  get local(): Local {
    return { include: () => this.#refuse("local.include()"), shell: () => this.asking("local.shell()") };
  }

  call({ name }: { readonly name: string }): OperationHandle {
    return this.#refuse(name);
  }
  deploy({ name }: { readonly name?: string | undefined }): never {
    return this.#refuse(`deploy("${name ?? ""}")`);
  }
  asking(what: string): never {
    throw new DeployError(`${what} is asked in ${this.#where}, which cannot wait for the answer`, {
      hint: "Ask in `ts.call`, and call there what depends on the answer; or take `host.data`, `didChange` and the like",
    });
  }
  failBy(): void {
    // What has not ended when a condition is asked fails the operation already.
  }

  #refuse(what: string): never {
    throw new DeployError(`${what} is called in ${this.#where}, which only answers true or false`, {
      hint: "Use `ts.call` for a function that calls operations when its turn comes",
    });
  }
}
