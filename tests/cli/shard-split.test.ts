import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { inventoryDigest, shardOf } from "../../src/inventory/shard.ts";

const numbered = (prefix: string, numbers: readonly number[]): string[] => numbers.map(number => `${prefix}${number}`);
const range = (from: number, count: number, step = 1): number[] =>
  Array.from({ length: count }, (_, index) => from + index * step);

function counts(names: readonly string[], shards: number): number[] {
  const found = Array<number>(shards).fill(0);
  for (const name of names) found[shardOf(name, shards) - 1]!++;
  return found;
}
const spread = (names: readonly string[], shards: number): number =>
  Math.max(...counts(names, shards)) - Math.min(...counts(names, shards));

const hostName = fc.oneof(
  fc
    .tuple(fc.constantFrom("web-", "db", "node.", "10.0.3.", "@docker/app-", "ada@rack2-"), fc.nat(5000))
    .map(([prefix, number]) => prefix + number),
  fc.string({ minLength: 1 }),
  fc.uuid(),
);
const shards = fc.integer({ min: 1, max: 40 });
const prefix = fc.stringMatching(/^[a-z][a-z.-]{0,8}$/);

describe("a split", () => {
  test("gives every host one shard, whatever its name", () => {
    fc.assert(
      fc.property(hostName, shards, (name, count) => {
        const found = shardOf(name, count);
        expect(found).toBeGreaterThanOrEqual(1);
        expect(found).toBeLessThanOrEqual(count);
        expect(found).toBe(shardOf(name, count));
      }),
    );
  });

  test("into shards loses no host and has none twice, and hosts that come, go or change places move no other", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(hostName, { maxLength: 60 }),
        fc.array(hostName, { maxLength: 5 }),
        shards,
        (names, added, count) => {
          const parts = (hosts: readonly string[]) =>
            range(1, count).map(index => hosts.filter(name => shardOf(name, count) === index));
          expect(parts(names).flat().sort()).toEqual([...names].sort());
          const grown = parts([...added, ...names.toReversed()]);
          for (const [index, part] of parts(names).entries())
            for (const name of part) expect(grown[index]).toContain(name);
        },
      ),
    );
  });

  test("deals the hosts 1 to N of a group to within one, and any other run of numbers to within two", () => {
    fc.assert(
      fc.property(prefix, fc.integer({ min: 1, max: 300 }), fc.nat(2000), shards, (name, size, from, count) => {
        expect(spread(numbered(name, range(1, size)), count)).toBeLessThanOrEqual(1);
        expect(spread(numbered(name, range(0, size)), count)).toBeLessThanOrEqual(2);
        expect(spread(numbered(name, range(from, size)), count)).toBeLessThanOrEqual(2);
        expect(
          spread(
            range(from, size).map(number => `${name}${number}.dc2.example.com`),
            count,
          ),
        ).toBeLessThanOrEqual(2);
      }),
    );
  });

  test("gives as many numbered hosts as there are shards one each, counted from 0 or from 1", () => {
    fc.assert(
      fc.property(prefix, shards, (name, count) => {
        for (const from of [0, 1])
          expect(counts(numbered(name, range(from, count)), count)).toEqual(Array<number>(count).fill(1));
      }),
    );
  });

  test("spreads groups of every second to every tenth host: none is in one shard alone", () => {
    for (let step = 2; step <= 10; step++) {
      for (let count = 2; count <= 8; count++) {
        for (const name of ["web-", "db", "node."]) {
          const [least, most] = [Math.min, Math.max].map(of =>
            of(...counts(numbered(name, range(step, 50 * count, step)), count)),
          );
          expect(`${name} every ${step} in ${count}: ${least! >= 20 && most! <= 80}`).toBe(
            `${name} every ${step} in ${count}: true`,
          );
        }
      }
    }
  });

  test("of names without order is as even as chance makes it", () => {
    const names = range(0, 4000).map(number => inventoryDigest([String(number)]));
    for (const count of [2, 5, 16])
      for (const found of counts(names, count))
        expect(Math.abs(found - 4000 / count)).toBeLessThan(5 * Math.sqrt(4000 / count));
  });

  test("does not begin all groups in the same shard", () => {
    const first = range(0, 26).map(letter => shardOf(`${String.fromCharCode(97 + letter)}-1`, 4));
    expect(new Set(first).size).toBe(4);
  });

  test("is the same in every version: controllers may differ", () => {
    expect(
      ["web-1", "web-2", "web-3", "db-1", "db-2", "10.0.0.7", "@docker/debian:12", "mail"].map(name =>
        shardOf(name, 4),
      ),
    ).toEqual([2, 3, 4, 3, 4, 3, 2, 4]);
  });
});
