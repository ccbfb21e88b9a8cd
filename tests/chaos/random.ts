/** Chance that can be had again: the same seed, the same numbers. @module */

/** A whole number from 0 up to, not including, `below`. */
export type Next = (below: number) => number;

export function random(seed: number): Next {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return below => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export const pick = <T>(next: Next, from: readonly T[]): T => from[next(from.length)]!;
