/** What a configuration says of a host. Types alone. @module */
import type { Directive } from "./lines.ts";

/** The first value of each keyword, all values of those that add up, and where they are written. */
export interface Settings {
  /** The name or address to connect to, in small letters. */
  readonly hostname: string;
  first(keyword: string): Directive | undefined;
  all(keyword: string): readonly Directive[];
}
