/** Host names as people write them. @module */
import { InventoryError } from "../core/errors.ts";

/** Connector of names without `@`. */
export const DEFAULT_CONNECTOR = "ssh";

/** A host's name, taken apart. */
export interface HostName {
  readonly name: string;
  readonly connector: string;
  readonly address: string;
  /** What comes before the last part of a chain, the first from here: `@ssh/bastion` of `@ssh/bastion/@docker/app`. */
  readonly through: readonly { readonly connector: string; readonly address: string }[];
  /** What the name itself says: `ada@web-1:2222` gives `sshUser` and `sshPort`. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Split `a,@docker/b:1,[::1]:22` at its commas, which do not count inside brackets. Empty parts are left out. */
export function splitHosts(text: string): readonly string[] {
  return text
    .split(/,(?![^[]*\])/)
    .map(part => part.trim())
    .filter(part => part !== "");
}

/** Take a host's name apart. Throws `InventoryError` for what cannot be one. */
export function parseHostName(name: string): HostName {
  if (name.trim() === "") throw new InventoryError("A host has an empty name");
  // A name that starts with a dash could become an option of a program it is handed to.
  if (FORBIDDEN.test(name))
    throw new InventoryError(`"${name}" is not a host name`, {
      hint: "A host is a name, an address, user@name:port or @connector/address",
    });
  if (name.startsWith("@")) {
    const through = name.split(NEXT_PART).map(part => parsePart(name, part));
    return { name, ...through.pop()!, through, data: {} };
  }
  return { name, connector: DEFAULT_CONNECTOR, through: [], ...parseAddress(name) };
}
/** Where the next part of a chain begins. */
const NEXT_PART = /\/(?=@)/;

function parsePart(name: string, part: string): { readonly connector: string; readonly address: string } {
  const [, connector = "", address = ""] = /^@([^/]*)\/?(.*)$/s.exec(part) ?? [];
  if (connector === "")
    throw new InventoryError(`"${name}" names no connector`, {
      hint: "Write @connector/address, such as @docker/debian:12",
    });
  return { connector, address };
}
const FORBIDDEN = /^-|^[^@].*\s|[\0\r\n]/;

/** `[user@]host[:port]`, where an IPv6 address with a port, and only that, stands in brackets. */
function parseAddress(name: string): Pick<HostName, "address" | "data"> {
  const [, user, host = ""] = /^(?:([^@]*)@)?(.*)$/s.exec(name) ?? [];
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/.exec(host) ?? [];
  const address = bracketed ?? plain ?? host;
  if (address === "" || address.startsWith("-") || user === "" || user?.startsWith("-") || /[[\]]/.test(address)) {
    throw new InventoryError(`"${name}" is not a host name`, {
      hint: "Write name, user@name:port or [IPv6 address]:port",
    });
  }
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535)) {
    throw new InventoryError(`Host "${name}" has an unusable port "${port}"`, {
      hint: "A port is a number from 1 to 65535",
    });
  }
  return {
    address,
    data: {
      ...(user === undefined ? {} : { sshUser: user }),
      ...(port === undefined ? {} : { sshPort: Number(port) }),
    },
  };
}
