/** Splitting an inventory over several controllers that never talk to each other: `--shard`. @module */
import { createHash } from "node:crypto";

/** One of `count` parts; `index` counts from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * Which of `count` shards a host is in, from 1.
 *
 * A host that comes or goes must move no other, so nothing but the name can decide: the rest of the inventory, the
 * groups and the order are not looked at. What makes up a group is known all the same, because hosts of one kind
 * differ in their numbers (`web-1` … `web-40`, `10.0.3.11` …). Such a family is dealt like cards, one host to every
 * shard before any gets a second one: hosts 1 to N differ by at most one between shards, any other run of numbers by
 * at most two. Where a family begins is a hash of its name, so that the first hosts of all families do not meet, and every
 * round begins somewhere else, so that a group of every second or tenth host is spread too, though not as evenly.
 * Names without numbers are spread by their hash alone, as evenly as chance does.
 */
export function shardOf(name: string, count: number): number {
  let number = 0;
  // Which of a name's numbers tells its hosts apart is not known; the others only add a constant.
  const family = name.replace(/\d+/g, digits => {
    number += Number(digits.slice(-DIGITS));
    return "#";
  });
  // 0 goes with 1: families begin with either.
  const round = Math.max(0, Math.floor((number - 1) / count));
  const seat = (number - 1 + count) % count;
  const first = scaled(createHash("sha256").update(family).digest().readUInt32BE(0), count);
  return ((seat + first + scaled(Math.imul(round, SQRT2) >>> 0, count)) % count) + 1;
}

/** More digits than that would not be exact in sums. */
const DIGITS = 9;
/** The fraction of √2 in 32 bits: its multiples are spread evenly, and so are those of any step. */
const SQRT2 = 0x6a09e667;
const scaled = (bits: number, count: number): number => Math.floor((bits / 2 ** 32) * count);

/** Whether a shard works on a host. */
export const isInShard = (name: string, { index, count }: Shard): boolean => shardOf(name, count) === index;

/** What tells whether two controllers split the same hosts. */
export const inventoryDigest = (names: readonly string[]): string =>
  createHash("sha256").update(names.join("\n")).digest("hex").slice(0, 16);
