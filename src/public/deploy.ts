/** Reusable parts of deploys. @module */
import type { GlobalArguments } from "../core/arguments.ts";
import { currentScope } from "../core/scope.ts";

/** What a deploy brings beside its body. */
export interface DeployOptions {
  /** Host data of lowest precedence, for the operations inside. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * Make a deploy: a function that declares operations under a common name.
 * Called with arguments of its own and global arguments; the latter become defaults of the operations inside.
 * @example
 * ```ts
 * const nginx = deploy("Install nginx", (args: { port: number }) => {
 *   apt.packages({ packages: ["nginx"] });
 *   files.template({ src: "site.conf.j2", dest: "/etc/nginx/conf.d/site.conf", data: args });
 * });
 * nginx({ port: 8080, _sudo: true });
 * ```
 */
export function deploy<A extends object = Record<never, never>, R = void>(
  name: string,
  body: (args: A) => R,
  options: DeployOptions = {},
): (...args: Record<never, never> extends A ? [args?: A & GlobalArguments] : [args: A & GlobalArguments]) => R {
  return (...[given]) => {
    const entries = Object.entries(given ?? {});
    const globals = Object.fromEntries(entries.filter(([key]) => key.startsWith("_"))) as GlobalArguments;
    const own = Object.fromEntries(entries.filter(([key]) => !key.startsWith("_"))) as A;
    return currentScope(`The deploy "${name}"`).deploy({ name, arguments: globals, data: options.data }, () =>
      body(own),
    );
  };
}
