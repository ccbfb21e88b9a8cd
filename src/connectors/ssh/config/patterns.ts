/** Patterns of ssh_config and known_hosts. @module */

/** `*` is any text, `?` any character. */
export function matchesPattern(text: string, pattern: string): boolean {
  // Two pointers and one place to come back to: never slow, whatever the pattern.
  let at = 0;
  let in_ = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (in_ < pattern.length && (pattern[in_] === "?" || (pattern[in_] === text[at] && pattern[in_] !== "*"))) {
      at++;
      in_++;
    } else if (pattern[in_] === "*") {
      star = in_++;
      resume = at;
    } else if (star >= 0) {
      in_ = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[in_] === "*") in_++;
  return in_ === pattern.length;
}

/** Any of the patterns matches, and none of those that begin with `!` does. */
export function matchesAny(text: string, patterns: readonly string[]): boolean {
  let found = false;
  for (const pattern of patterns) {
    if (pattern.startsWith("!")) {
      if (matchesPattern(text, pattern.slice(1))) return false;
    } else if (matchesPattern(text, pattern)) found = true;
  }
  return found;
}

/** A list separated by commas. */
export const matchesList = (text: string, list: string): boolean => matchesAny(text, list.split(","));

/** A list separated by commas, whatever the case. */
export const matchesHostList = (host: string, list: string): boolean =>
  matchesList(host.toLowerCase(), list.toLowerCase());
