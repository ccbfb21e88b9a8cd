/** Texts that a careless command runs, splits, expands or takes for an option. @module */
import fc from "fast-check";

/** One text, with a mark at its beginning and its end: what has one of them has to have the other. */
export interface Hostile {
  readonly name: string;
  readonly text: string;
  /** It begins with a dash. */
  readonly dash?: true;
}

const marked = (inner: string): string => `${BEGIN}${inner}${END}`;
export const BEGIN = "qx1";
export const END = "qx2";

export const HOSTILE: readonly Hostile[] = [
  { name: "ends single quotes", text: marked("'; touch PWNED; '") },
  { name: "ends double quotes", text: marked('"; touch PWNED; "') },
  { name: "ends quotes after a backslash", text: marked(`\\'; touch PWNED; \\"; touch PWNED; #`) },
  { name: "substitutes", text: marked("$(touch PWNED)`touch PWNED`${HOME}$HOME") },
  { name: "is another command", text: marked("; touch PWNED & touch PWNED | touch PWNED && touch PWNED > PWNED") },
  { name: "has lines", text: marked("\ntouch PWNED\n") },
  { name: "is many words", text: marked(" a  *  ? [a-z] ~ {a,b} ! # b ") },
  { name: "is for printf and sed", text: marked("%s%n\\n\\1&;w PWNED;e touch PWNED") },
  { name: "ends sed's pattern", text: marked("/x/;e touch PWNED;#") },
  { name: "ends sed's replacement", text: marked("/;e touch PWNED;#") },
  { name: "ends sed's address", text: marked("/d;e touch PWNED;#") },
  { name: "ends awk's pattern", text: marked('/||system("touch PWNED")||/') },
  { name: "has letters of the world", text: marked("é☃💥\u00a0\t") },
  { name: "is an option", text: `-${marked("")}`, dash: true },
  { name: "is a long option", text: `--${marked("=touch PWNED")}`, dash: true },
  { name: "is empty", text: "" },
  { name: "is a home", text: "~" },
  { name: "is everything", text: "*" },
];

const PIECES = [
  "'",
  '"',
  "`",
  "$(",
  ")",
  "${HOME}",
  "\\",
  "\n",
  " ",
  ";",
  "&&",
  "||",
  "|",
  ">PWNED",
  "<",
  "touch PWNED",
  "#",
  "*",
  "~",
  "%s",
  "&",
  "/",
  "@",
  ":",
  "=",
  ",",
  "-",
  "--",
  "a",
  "é",
  "(",
  "!",
  "$$",
  "\t",
  "EOF",
];

const SEEDED = seededTexts(400, 2026);

/** Two of the texts made of pieces, others for every name. */
export const seededFor = (name: string): readonly Hostile[] => {
  const at = Number(Bun.hash(name) % BigInt(SEEDED.length - 1));
  return SEEDED.slice(at, at + 2);
};

function seededTexts(count: number, seed: number): readonly Hostile[] {
  const pieces = fc.array(fc.constantFrom(...PIECES), { minLength: 3, maxLength: 10 });
  return fc
    .sample(pieces, { numRuns: count, seed })
    .map(some => ({ name: `is ${JSON.stringify(some.join(""))}`, text: marked(some.join("")) }));
}
