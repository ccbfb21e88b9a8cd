import { expect, test } from "bun:test";
import { giveBack } from "../../src/connectors/shared/memory.ts";

test("the memory of a whole chunk is given back at once, also with a packet's header around it", () => {
  const whole = new Uint8Array(4096);
  const content = new Uint8Array(32 * 1024).subarray(10, -20);
  for (const chunk of [whole, content]) giveBack(chunk);
  expect([whole.length, content.length]).toEqual([0, 0]);
});

test("a chunk that is only a part of something is left alone", () => {
  const chunks = [
    new Uint8Array(1024 * 1024).subarray(0, 64 * 1024),
    // As Node's pool and decompressors hand them out.
    new Uint8Array(16 * 1024).subarray(100),
    Buffer.from("short"),
    new Uint8Array(new SharedArrayBuffer(64 * 1024)),
  ];
  const sizes = chunks.map(chunk => chunk.length);
  for (const chunk of chunks) giveBack(chunk);
  expect(chunks.map(chunk => chunk.length)).toEqual(sizes);
});
