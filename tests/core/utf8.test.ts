/** Text of the user's files. */
import { expect, test } from "bun:test";
import { utf8 } from "../../src/core/utf8.ts";

const TEXT = 'export const web = ["größe"];\n// é\n';
const swapped = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();
const told = (bytes: Uint8Array): unknown => {
  try {
    return utf8(bytes, "/d.ts");
  } catch (error) {
    return error;
  }
};

test.each([
  ["UTF-8", Buffer.from(TEXT), TEXT],
  ["UTF-8 with a mark", Buffer.from(`\ufeff${TEXT}`), `\ufeff${TEXT}`],
  ["nothing", Buffer.of(), ""],
  ["a mark for what could not be read", Buffer.from("a\ufffdb"), "a\ufffdb"],
  ["a zero", Buffer.from("a\0b"), "a\0b"],
])("%s is read", (_, bytes, text) => {
  expect(told(bytes)).toBe(text);
});

test.each([
  ["UTF-16", Buffer.from(TEXT, "utf16le"), "/d.ts is UTF-16, and not UTF-8"],
  ["UTF-16 with a mark", Buffer.from(`\ufeff${TEXT}`, "utf16le"), "/d.ts is UTF-16, and not UTF-8"],
  ["UTF-16, big end first", swapped(TEXT), "/d.ts is UTF-16, and not UTF-8"],
  ["UTF-16, big end first, with a mark", swapped(`\ufeff${TEXT}`), "/d.ts is UTF-16, and not UTF-8"],
  ["Latin-1", Buffer.from(TEXT, "latin1"), "/d.ts is not UTF-8: it has the byte 0xf6, as Latin-1 may"],
])("%s is refused", (_, bytes, message) => {
  expect(told(bytes)).toMatchObject({ code: "E_LOCAL_FILE", message, hint: "Save it as UTF-8" });
});

test("the first byte that is none is told with its place", () => {
  expect(told(Buffer.from("é\n// größe é\n", "latin1"))).toMatchObject({ at: { file: "/d.ts", line: 1, column: 1 } });
  const mixed = Buffer.concat([Buffer.from("// größe\n// gr"), Buffer.from("ö", "latin1")]);
  expect(told(mixed)).toMatchObject({ at: { file: "/d.ts", line: 2, column: 6 } });
});
