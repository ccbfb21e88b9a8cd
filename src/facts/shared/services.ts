/** What service managers say about their services. @module */

/** Services by name: `true` runs, `false` is stopped, `null` is neither, or nobody can tell. */
export type ServiceStatuses = Readonly<Record<string, boolean | null>>;

/** Services by name: `true` starts by itself. */
export type ServicesEnabled = Readonly<Record<string, boolean>>;

/** `name=EXIT-CODE` lines of init scripts that were asked for their status: 0 runs, 1 to 3 is stopped. */
export function initStatuses(lines: readonly string[]): ServiceStatuses {
  return Object.fromEntries(
    lines.flatMap(line => {
      const [, name, code] = /^([\w\-.]+)=(\d+)/.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(code) === 0 ? true : Number(code) < 4 ? false : null]];
    }),
  );
}
