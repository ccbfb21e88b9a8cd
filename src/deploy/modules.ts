/** The modules that deploy files import, served from inside the executable. @module */

/**
 * Make `tsinfra`, `tsinfra/operations`, `tsinfra/operations/<module>` and `tsinfra/facts/<module>` importable.
 * They win over packages of the same name wherever the importing file lies. Call it once, before anything of the user's is imported.
 */
export async function installDeployModules(): Promise<void> {
  const modules = await deployModules();
  Bun.plugin({
    name: "tsinfra",
    setup(build) {
      for (const [name, exports] of modules) build.module(name, () => ({ exports: { ...exports }, loader: "object" }));
    },
  });
}

/** These modules, by what imports name them; those that hold others come first. */
export async function deployModules(): Promise<ReadonlyMap<string, object>> {
  const [tsinfra, operations, facts] = await Promise.all([
    import("../public/index.ts"),
    import("../operations/index.ts"),
    import("../facts/index.ts"),
  ]);
  return new Map<string, object>([
    ["tsinfra", tsinfra],
    ["tsinfra/operations", operations],
    ["tsinfra/facts", facts],
    ...Object.entries<object>(operations).map(([name, module]): [string, object] => [
      `tsinfra/operations/${name}`,
      module,
    ]),
    ...Object.entries<object>(facts).map(([name, module]): [string, object] => [`tsinfra/facts/${name}`, module]),
  ]);
}
