/** Addresses of SSH that are none. */
import { expect, test } from "bun:test";
import { parseDestination } from "../../src/connectors/ssh/route.ts";

test.each([
  ["", "@ssh needs a host", "Write @ssh/HOST"],
  [" ", "@ssh needs a host", "Write @ssh/HOST"],
  ["ada@", 'The address "ada@" is not understood', "Write host, user@host or user@host:port"],
  ["web:0", 'The address "web:0" is not understood', "Write host, user@host or user@host:port"],
])("%p is told with what to write", (address, message, hint) => {
  expect(() => parseDestination(address, "@ssh")).toThrow(expect.objectContaining({ message, hint, host: "@ssh" }));
});
