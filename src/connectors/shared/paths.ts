/** Paths of the control machine. @module */
import { join } from "node:path";

/** An absolute path: `~` is the home directory, anything else relative starts at `from`. */
export function expandHome(path: string, { home }: { readonly home: string }, from: string): string {
  if (path === "~") return home;
  if (path.startsWith("~/")) return join(home, path.slice(2));
  return path.startsWith("/") ? path : join(from, path);
}
