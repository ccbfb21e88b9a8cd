/** Addresses and networks, written in one way. @module */

/**
 * An address or network as packet filters print it: `10.1.2.3/255.0.0.0` is `10.0.0.0/8`, `2001:DB8::0/128` is `2001:db8::`.
 * A single address has no length; what matches everything is `any`. A name stays as it is.
 */
export function network(text: string): string {
  const [address = "", mask] = text.toLowerCase().split("/");
  if (address === "any") return address;
  const bytes = ipv4(address) ?? ipv6(address);
  if (!bytes) return text;
  const whole = bytes.length * 8;
  const bits = mask === undefined ? whole : prefixLength(mask);
  if (bits === undefined || bits > whole) return text;
  if (bits === 0) return "any";
  const masked = bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - index * 8))) & 0xff);
  const shown = masked.length === 4 ? masked.join(".") : ipv6Text(masked);
  return bits === whole ? shown : `${shown}/${bits}`;
}

function ipv4(text: string): readonly number[] | undefined {
  const bytes = text.split(".").map(part => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  return bytes.length === 4 && bytes.every(byte => byte < 256) ? bytes : undefined;
}

function ipv6(text: string): readonly number[] | undefined {
  const halves = text.split("::").map(half => (half === "" ? [] : half.split(":")));
  if (!text.includes(":") || halves.length > 2 || !halves.flat().every(group => /^[0-9a-f]{1,4}$/.test(group)))
    return undefined;
  const missing = 8 - halves.flat().length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...(halves[0] ?? []), ...Array.from({ length: missing }, () => "0"), ...(halves[1] ?? [])].map(
    group => parseInt(group, 16),
  );
  return groups.flatMap(group => [group >> 8, group & 0xff]);
}

/** Length of a mask that is a number or written like an address. */
function prefixLength(mask: string): number | undefined {
  if (/^\d+$/.test(mask)) return Number(mask);
  const bits = ipv4(mask)
    ?.map(byte => byte.toString(2).padStart(8, "0"))
    .join("");
  return bits !== undefined && /^1*0*$/.test(bits) ? bits.replace(/0/g, "").length : undefined;
}

/** The longest run of zeros is left out. */
function ipv6Text(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  const [longest = ""] = (groups.join(":").match(/\b0(?::0)+\b/g) ?? []).sort((a, b) => b.length - a.length);
  if (longest === "") return groups.join(":");
  const [before = "", after = ""] = splitAtRun(groups.join(":"), longest);
  return `${before.replace(/:$/, "")}::${after.replace(/^:/, "")}`;
}

/** Where a run of whole groups begins: not inside `10:0`. */
function splitAtRun(text: string, run: string): readonly string[] {
  const at = `:${text}:`.indexOf(`:${run}:`);
  return [text.slice(0, at), text.slice(at + run.length)];
}
