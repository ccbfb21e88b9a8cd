/** Bytes as `printf %b` understands them. @module */

/** The same text with the characters that match written as the bytes they are, each as `\0` and three octal digits. `characters` must be global. */
export const inOctal = (text: string, characters: RegExp): string =>
  text.replace(characters, character =>
    Array.from(Buffer.from(character), byte => `\\0${byte.toString(8).padStart(3, "0")}`).join(""),
  );
