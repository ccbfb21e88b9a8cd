/** The current host of a deploy file, carried through awaits. @module */
import { AsyncLocalStorage } from "node:async_hooks";
import type { GlobalArguments } from "./arguments.ts";
import type { Config } from "./config.ts";
import { NoHostError } from "./errors.ts";
import type { IncludeResult, OperationHandle } from "./handle.ts";
import type { Host, InventoryHost } from "./host.ts";
import type { Operation } from "./operation-definition.ts";

/** What a deploy file can reach while it is evaluated for one host. */
export interface Scope {
  readonly host: Host;
  readonly inventory: Inventory<Host>;
  readonly config: Config;
  readonly state: RunState;
  readonly logger: Logger;
  readonly local: Local;
  /** Declare an operation. */
  call<A extends object>(operation: Operation<A>, args: A & GlobalArguments): OperationHandle;
  /** Run the body of a `deploy()` under its name, arguments and data. */
  deploy<R>(deploy: DeployContext, body: () => R): R;
  /** Begin something whose answer the code here must wait for: a question to a host. */
  asking<T>(what: string, ask: () => Promise<T>): Promise<T>;
  /** Something that the code here holds has failed, and perhaps nobody ever looks at it: the file fails with it. Throws it where the file has ended. */
  failBy(error: unknown): void;
}

/** What a `deploy()` adds to the operations inside it. */
export interface DeployContext {
  readonly name?: string | undefined;
  readonly arguments?: GlobalArguments | undefined;
  /** Host data of lowest precedence. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** Told of every operation inside, those of deploys and includes in it too. */
  readonly onDeclare?: ((operation: OperationHandle) => void) | undefined;
  /** Whether the code outside waits for it, or has. */
  readonly isAwaited?: (() => boolean) | undefined;
}

/** All hosts, whatever `--limit`, `--exclude` and `--shard` say: those that they leave out are known and answer facts, but take no part. */
export interface Inventory<H extends Host = InventoryHost> extends Iterable<H> {
  /** The host of that name; another host's facts can be asked through it. Throws `InventoryError` with the nearest name. */
  getHost(name: string): H;
  /** The hosts of a group, in inventory order. Throws `InventoryError` with the nearest name. */
  getGroup(name: string): readonly H[];
  readonly hosts: readonly H[];
  /** Group names, sorted. */
  readonly groups: readonly string[];
  readonly length: number;
}

/** How far the run is. */
export interface RunState {
  /** Directory that relative paths in operations start from. */
  readonly cwd: string;
  readonly stage: "setup" | "connect" | "prepare" | "execute" | "disconnect";
  readonly isExecuting: boolean;
  /** Names of hosts that failed. */
  readonly failedHosts: readonly string[];
}

/** Messages to the person who runs the deploy, under the current host's name: text, or any value as `console.log` shows it, with secrets as `***`. */
export interface Logger {
  debug(message: unknown): void;
  info(message: unknown): void;
  warn(message: unknown): void;
  error(message: unknown): void;
}

/** The control machine, seen from a deploy file. */
export interface Local {
  /**
   * Evaluate another deploy file here, for this host. `./x.ts` is relative to the deploy file that is evaluated, whichever
   * module asks, anything else to `state.cwd`.
   * Must be awaited; what it gives knows whether anything in the file changed: `_if: anyChanged(await local.include("./web.ts"))`.
   */
  include(file: string, options?: { readonly data?: Readonly<Record<string, unknown>> }): Promise<IncludeResult>;
  /**
   * Run a command on the control machine at once and return its stdout without the last newline; of several commands, which run one after the
   * other, the outputs in lines. Throws `CommandError` where one fails, unless that is ignored, and where one prints more than 8 MiB to stdout.
   */
  shell(command: string | readonly string[], options?: { readonly ignoreErrors?: boolean }): Promise<string>;
}

/** The objects of the deploy language that mean the host in force wherever they are used: `host`, `inventory` and the like. */
const ambientNames = new WeakMap<object, string>();

/** Remember what such an object is called. */
export function nameAmbient<T extends object>(object: T, name: string): T {
  ambientNames.set(object, name);
  return object;
}

/** What it is called; `undefined` for anything else. */
export const ambientName = (value: unknown): string | undefined =>
  typeof value === "object" && value !== null ? ambientNames.get(value) : undefined;

/** Code that runs for a host, and must not declare anything for it. */
class Elsewhere {
  readonly where: string;
  readonly hint: (what: string) => string;
  constructor(where: string, hint: (what: string) => string) {
    this.where = where;
    this.hint = hint;
  }
}

const storage = new AsyncLocalStorage<Scope | Elsewhere>();

/** The scope in force, if any. */
export function scopeOrNone(): Scope | undefined {
  const found = storage.getStore();
  return found instanceof Elsewhere ? undefined : found;
}

/** The scope in force. Throws `DeployError`, beginning with `what`, outside of a deploy file's evaluation. */
export function currentScope(what: string): Scope {
  const found = storage.getStore();
  if (found instanceof Elsewhere)
    throw new NoHostError(`${what} is used in ${found.where}, where there is no current host`, {
      hint: found.hint(what),
    });
  if (found) return found;
  throw noHost(what);
}

/** What is used by code that runs once, when a module is loaded. */
export const noHost = (what: string): NoHostError =>
  new NoHostError(`${what} is used where there is no current host`, {
    hint: "A deploy file is evaluated once per host, but the modules it imports only once per run: move this into a function that the deploy file calls",
  });

/** Run what an operation's `steps` do. */
export function inSteps<R>(operation: string, body: () => R): R {
  const elsewhere = stepsOf.get(operation) ?? new Elsewhere(`the steps of ${operation}`, hintInSteps);
  stepsOf.set(operation, elsewhere);
  return storage.run(elsewhere, body);
}
const stepsOf = new Map<string, Elsewhere>();

function hintInSteps(what: string): string {
  const [, inner] = /^The operation (.+)$/.exec(what) ?? [];
  return inner === undefined
    ? "Use the host that steps are given: async *steps(host, args) { … }"
    : `Steps give commands and call no operations: yield* ${inner}.steps(host, { … })`;
}

/** Run `body` with `scope` in force, through all its awaits. */
export const inScope = <R>(scope: Scope, body: () => R): R => storage.run(scope, body);
