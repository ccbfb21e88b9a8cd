/** `--shard I/N`. @module */
import type { Shard } from "../inventory/shard.ts";
import { ArgumentError } from "./parse.ts";

/** Read `2/3`. Throws `ArgumentError`. */
export function parseShard(text: string): Shard {
  const shard = readShard(text);
  if (shard) return shard;
  const hint = /^0+\/\d/.test(text)
    ? "Shards count from 1: add 1 to an index that counts from 0"
    : "Write --shard 2/3 for the second of three";
  throw new ArgumentError(`Option --shard must be I/N with I from 1 to N, found "${text}"`, { hint });
}

/** Read `2/3`; `undefined` for what is no shard. */
export function readShard(text: string): Shard | undefined {
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  return shard.index >= 1 && shard.index <= shard.count ? shard : undefined;
}

/** `2/3`. */
export const shardText = ({ index, count }: Shard): string => `${index}/${count}`;
