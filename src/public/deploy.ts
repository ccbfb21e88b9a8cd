/** Reusable parts of deploys. @module */
import type { GlobalArguments } from "../core/arguments.ts";
import { DeployError } from "../core/errors.ts";
import { hasKeys, kindOf } from "../core/kind.ts";
import {
  type AsyncDeployHandle,
  type DeployHandle,
  type DeployResult,
  type OperationHandle,
  refuseForeignMembers,
} from "../core/handle.ts";
import { dataOption } from "../core/one-object.ts";
import { currentScope, type RunState } from "../core/scope.ts";

/** What a deploy brings beside its body. */
export interface DeployOptions {
  /** Host data of lowest precedence, for the operations inside, as it is at each call. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What calling a deploy returns, whose body returns `R`. */
export type DeployCall<R> = [Extract<R, Promise<unknown>>] extends [never]
  ? DeployHandle<R>
  : AsyncDeployHandle<Awaited<R>>;

/**
 * Make a deploy: a function that declares operations under a common name.
 * Called with arguments of its own and global arguments; the latter become defaults of the operations inside.
 * The call returns a handle, which answers for all operations inside once they have run; `value` is what the body returned.
 * A call whose body is async must be awaited, which gives the same answers.
 * @example
 * ```ts
 * const nginx = deploy("Install nginx", (args: { port: number }) => {
 *   apt.packages({ packages: ["nginx"] });
 *   files.template({ src: "site.conf.j2", dest: "/etc/nginx/conf.d/site.conf", data: args });
 * });
 * const web = nginx({ port: 8080, _sudo: true });
 * systemd.service({ service: "nginx", restarted: web.didChange });
 * ```
 */
export function deploy<A extends object = Record<never, never>, R = void>(
  name: string,
  body: (args: A) => R,
  options: DeployOptions = {},
): (
  ...args: Record<never, never> extends A ? [args?: A & GlobalArguments] : [args: A & GlobalArguments]
) => DeployCall<R> {
  checkDefinition(name, body, options);
  return (...call) => {
    const [given] = call;
    if (call.length > 1 || (given !== undefined && !hasKeys(given)))
      throw new DeployError(
        `deploy("${name}") is called with one object of arguments, found ${call.map(kindOf).join(", ")}`,
        { hint: "Its body is called with that object: (args: { version: string }) => …" },
      );
    const entries = Object.entries(given ?? {});
    const globals = Object.fromEntries(entries.filter(([key]) => key.startsWith("_"))) as GlobalArguments;
    const own = Object.fromEntries(entries.filter(([key]) => !key.startsWith("_"))) as A;
    const scope = currentScope(`The deploy "${name}"`);
    const operations: OperationHandle[] = [];
    const called: Call = { name, state: scope.state, operations, isAwaited: false };
    const returned = scope.deploy(
      {
        name,
        arguments: globals,
        data: options.data,
        onDeclare: operation => operations.push(operation),
        isAwaited: () => called.isAwaited,
      },
      () => body(own),
    );
    return new Called<unknown>(called, returned) as unknown as DeployCall<R>;
  };
}

function checkDefinition(name: unknown, body: unknown, options: unknown): void {
  const hint = "Write deploy(name, body, { data: … })";
  if (typeof name !== "string" || name === "")
    throw new DeployError(`The name of deploy() must be text, found ${name === "" ? "an empty one" : kindOf(name)}`, {
      hint,
    });
  const kind = kindOf(body);
  if (kind !== "a function" && kind !== "an async function")
    throw new DeployError(`The body of deploy("${name}") must be a function, found ${kind}`, { hint });
  dataOption(`deploy("${name}")`, options);
}

/** One call of a deploy on one host. */
interface Call {
  readonly name: string;
  readonly state: RunState;
  /** In call order; more are added while an async body goes on. */
  readonly operations: readonly OperationHandle[];
  /** Somebody waits for it, or has. */
  isAwaited: boolean;
}

/** The answers of a deploy whose body has ended. */
class Ended<T> implements DeployResult<T> {
  readonly #call: Call;
  /** Set once the body has ended. */
  protected returned: { readonly value: T } | undefined;

  constructor(call: Call, returned?: { readonly value: T }) {
    this.#call = call;
    this.returned = returned;
  }

  // Getters of functions: they are passed to `_if` without their object.
  get didChange(): () => boolean {
    return () => this.#operations("didChange").some(operation => operation.didChange());
  }
  get didNotChange(): () => boolean {
    return () => this.#operations("didNotChange").every(operation => operation.didNotChange());
  }
  get didSucceed(): () => boolean {
    return () => this.#operations("didSucceed").every(operation => operation.didSucceed());
  }
  get didError(): () => boolean {
    return () => this.#operations("didError").some(operation => operation.didError());
  }
  get value(): T {
    if (this.returned) return this.returned.value;
    throw new DeployError(`"value" of the deploy "${this.#call.name}" is not known before its body has ended`, {
      hint: "Put `await` before the call of the deploy",
    });
  }

  #operations(member: string): readonly OperationHandle[] {
    const { name, state, operations } = this.#call;
    if (state.isExecuting && this.returned) return operations;
    throw new DeployError(`"${member}" of the deploy "${name}" is not known before its operations have run`, {
      hint: `To decide when an operation's turn comes pass \`${member}\` to its \`_if\`, or use \`ts.call\``,
    });
  }
}

refuseForeignMembers(Ended.prototype);

/** What calling a deploy returns. */
class Called<T> extends Ended<T> {
  readonly #body: Promise<Ended<T>>;
  readonly #call: Call;

  constructor(call: Call, returned: T | Promise<T>) {
    super(call);
    this.#call = call;
    // A handle that it returns is its value: nothing waits for what that forecasts.
    if (!(returned instanceof Promise)) this.returned = { value: returned };
    const body = async (): Promise<Ended<T>> => {
      this.returned ??= { value: await returned };
      return new Ended(call, this.returned);
    };
    this.#body = body();
  }

  /** Waits for the body; during execution for its operations as well. While preparing, their forecasts are nobody's to wait for. */
  then<V = DeployResult<T>, E = never>(
    onResult?: ((result: DeployResult<T>) => V | PromiseLike<V>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<V | E> {
    this.#call.isAwaited = true;
    const ended = async (): Promise<Ended<T>> => {
      const result = await this.#body;
      // They run in order: what fails among them keeps those behind it from running, and the last one tells.
      if (this.#call.state.isExecuting) await this.#call.operations.at(-1);
      return result;
    };
    return ended().then(onResult, onError);
  }
}
