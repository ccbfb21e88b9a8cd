/** Filters that Jinja2 has and nunjucks does not. @module */

/** Keyword arguments arrive as a last argument that is marked. */
type Keywords = Readonly<Record<string, unknown>> & { readonly __keywords?: boolean };
interface FilterContext {
  readonly env: { getFilter(name: string): (...args: unknown[]) => unknown };
}

export const JINJA_FILTERS: Readonly<Record<string, (...args: never[]) => unknown>> = {
  tojson: (value: unknown, indent?: number | Keywords) =>
    JSON.stringify(value, undefined, typeof indent === "object" ? Number(indent["indent"] ?? 0) : indent),
  items: (value: object) => Object.entries(value),
  attr: (value: object, name: string) => attribute(value, name),
  count: (value: string | readonly unknown[] | object) =>
    typeof value === "string" || Array.isArray(value) ? value.length : Object.keys(value).length,
  min: (values: Iterable<unknown>) =>
    [...values].reduce((least, value) => (less(value, least) ? value : least), undefined),
  max: (values: Iterable<unknown>) =>
    [...values].reduce((most, value) => (most === undefined || less(most, value) ? value : most), undefined),
  unique: (values: Iterable<unknown>) => [...new Set(values)],
  format: (text: string, ...values: unknown[]) => format(text, values),
  map(this: FilterContext, values: Iterable<unknown>, how: string | Keywords, ...rest: unknown[]) {
    if (typeof how === "object")
      return [...values].map(value => attribute(value, String(how["attribute"])) ?? how["default"]);
    const filter = this.env.getFilter(how);
    return [...values].map(value => filter.call(this, value, ...rest));
  },
};

const attribute = (value: unknown, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>((at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined), value);

const less = (one: unknown, other: unknown): boolean =>
  other === undefined ||
  (typeof one === "number" && typeof other === "number" ? one < other : String(one) < String(other));

/** `"%-8s|%03d"` as printf has it. */
function format(text: string, values: readonly unknown[]): string {
  const rest = [...values];
  return text.replace(
    /%(?:%|([-0]*)(\d*)(?:\.(\d+))?([sdixXf]))/g,
    (whole, flags: string = "", width: string, precision: string | undefined, kind: string | undefined) => {
      if (kind === undefined) return "%";
      const value = rest.shift();
      const shown =
        kind === "s"
          ? String(value)
          : kind === "f"
            ? Number(value).toFixed(Number(precision ?? 6))
            : Math.trunc(Number(value)).toString(kind.toLowerCase() === "x" ? 16 : 10);
      if (flags.includes("-")) return shown.padEnd(Number(width));
      return shown.padStart(Number(width), flags.includes("0") ? "0" : " ");
    },
  );
}
