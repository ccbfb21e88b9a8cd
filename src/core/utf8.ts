/** Text of the user's files. @module */
import { type CallSite, LocalFileError } from "./errors.ts";

/** The text of a file, which may begin with a byte order mark. Throws `LocalFileError` for any other encoding than UTF-8. */
export function utf8(bytes: Uint8Array, file: string): string {
  const utf16 = utf16Of(bytes);
  if (utf16 !== undefined) throw notUtf8(`${file} is ${utf16}, and not UTF-8`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  // What is no character becomes a mark; whoever wrote such a mark has it in the bytes as well.
  if (!text.includes(REPLACED)) return text;
  const again = Buffer.from(text);
  const offset = bytes.findIndex((byte, index) => byte !== again[index]);
  if (offset < 0) return text;
  const before = Buffer.from(bytes.subarray(0, offset)).toString().split("\n");
  const at = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  const byte = `0x${bytes[offset]!.toString(16).padStart(2, "0")}`;
  throw notUtf8(`${file} is not UTF-8: it has the byte ${byte}, as Latin-1 may`, at);
}
const REPLACED = "\ufffd";

const notUtf8 = (message: string, at?: CallSite): LocalFileError =>
  new LocalFileError(message, { at, hint: "Save it as UTF-8" });

/** Which of the encodings that spend two bytes and more on every letter it is, with a mark or without. */
function utf16Of(bytes: Uint8Array): string | undefined {
  const [first, second, third, fourth] = bytes;
  if (first === 0xff && second === 0xfe) return third === 0 && fourth === 0 ? "UTF-32" : "UTF-16";
  if (first === 0xfe && second === 0xff) return "UTF-16";
  // Each letter of English, and each line end, has a byte of zeros before or behind it.
  const beginning = bytes.subarray(0, LOOKED_AT);
  const zeros = [0, 0];
  for (const [index, byte] of beginning.entries()) if (byte === 0) zeros[index % 2]! += 1;
  const [before = 0, behind = 0] = zeros;
  const most = Math.max(before, behind);
  return 3 * most > beginning.length && Math.min(before, behind) < most / 2 ? "UTF-16" : undefined;
}
const LOOKED_AT = 1024;
