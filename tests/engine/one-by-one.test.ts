/** What runs, and whose failure is told, where things run one after the other and may or may not be waited for. */
import { describe, expect, test } from "bun:test";
import { OneByOne } from "../../src/engine/operation/one-by-one.ts";

/** What a function may do with the things that it begins, by their number. */
interface Hands {
  begin(number: number): void;
  /** Until it has run. */
  ended(number: number): Promise<void>;
  allEnded(): Promise<void>;
  /** Long enough for everything to come to its end. */
  pause(): Promise<void>;
}

const failureOf = (number: number): string => `failure ${number}`;
const signal = new AbortController().signal;
const caught = (ending: Promise<void>): Promise<void> => ending.catch(() => undefined);
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Which of them ran, and what the function came to. */
async function outcomeOf(failing: readonly number[], body: (hands: Hands) => unknown) {
  const ran: number[] = [];
  const things: { readonly number: number }[] = [];
  const all = new OneByOne<{ readonly number: number }>(async ({ number }) => {
    await turn();
    ran.push(number);
    return failing.includes(number) ? new Error(failureOf(number)) : undefined;
  }, signal);
  const hands: Hands = {
    begin: number => all.begin((things[number] = { number })),
    ended: number => all.ended(things[number]!),
    allEnded: () => all.allEnded(),
    async pause() {
      for (let turns = 0; turns < 20; turns++) await turn();
    },
  };
  const thrown = await all
    .through(() => body(hands))
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  return { ran, thrown };
}

describe("one failure is heard by who waits for it, or for something behind it", () => {
  test.each<[string, readonly number[], (hands: Hands) => unknown, readonly number[], string | undefined]>([
    ["nothing is begun", [], () => {}, [], undefined],
    [
      "one that failed is waited for a second time, when another has failed",
      [0, 1],
      async ({ begin, ended, pause }) => {
        begin(0);
        await caught(ended(0));
        begin(1);
        await pause();
        await caught(ended(0));
      },
      [0, 1],
      failureOf(1),
    ],
    [
      "both are waited for at once",
      [0, 1],
      async ({ begin, ended }) => {
        [0, 1].forEach(begin);
        await Promise.allSettled([ended(0), ended(1)]);
      },
      [0, 1],
      undefined,
    ],
    [
      "both are waited for at once, up to the first that fails",
      [0],
      async ({ begin, ended }) => {
        [0, 1].forEach(begin);
        await Promise.all([ended(0), ended(1)]);
      },
      [0],
      failureOf(0),
    ],
    [
      "somebody waits for something else of the host",
      [0],
      async ({ begin, allEnded }) => {
        begin(0);
        await caught(allEnded());
        begin(1);
      },
      [0, 1],
      undefined,
    ],
    [
      "the function throws while others wait for their turn",
      [0],
      async ({ begin, ended }) => {
        [0, 1].forEach(begin);
        await caught(ended(0));
        throw new Error("given up");
      },
      [0],
      "given up",
    ],
    [
      "the function throws, and nothing has failed",
      [],
      ({ begin }) => {
        begin(0);
        throw new Error("given up");
      },
      [0],
      "given up",
    ],
    [
      "it is waited for without an end of the function",
      [0],
      ({ begin, ended }) => {
        begin(0);
        void caught(ended(0));
      },
      [0],
      undefined,
    ],
  ])("where %s", async (_, failing, body, ran, thrown) => {
    expect(await outcomeOf(failing, body)).toEqual({ ran, thrown } as Awaited<ReturnType<typeof outcomeOf>>);
  });
});

const WAYS = ["left", "caught", "caught twice", "awaited"] as const;
/** One of those that are begun. */
interface One {
  readonly fails: boolean;
  readonly way: (typeof WAYS)[number];
}

/** What must come of it, where `again` is waited for once more when all have ended. */
function expected(ones: readonly One[], again: number | undefined) {
  const ran: number[] = [];
  const reasons: (number | undefined)[] = [];
  let unheard: number | undefined;
  for (const [number, { fails, way }] of ones.entries()) {
    if (unheard === undefined) {
      ran.push(number);
      if (fails) unheard = number;
    }
    const reason = (reasons[number] = unheard);
    if (way === "left" || reason === undefined) continue;
    unheard = undefined;
    if (way === "awaited") return { ran, thrown: failureOf(reason) };
  }
  if (again !== undefined && reasons[again] === unheard) unheard = undefined;
  return { ran, thrown: unheard === undefined ? undefined : failureOf(unheard) };
}

test("any three of them, failing or not, waited for or not, and one of them once more", async () => {
  const kinds = WAYS.flatMap(way => [true, false].map((fails): One => ({ fails, way })));
  const threes = kinds.flatMap(a => kinds.flatMap(b => kinds.map(c => [a, b, c])));
  const cases = threes.flatMap(ones => [undefined, 0, 1, 2].map(again => ({ ones, again })));
  const failing = (ones: readonly One[]) => [...ones.keys()].filter(number => ones[number]!.fails);
  const found = await Promise.all(
    cases.map(async ({ ones, again }) => ({
      ones,
      again,
      ...(await outcomeOf(failing(ones), async ({ begin, ended, pause }) => {
        for (const [number, { way }] of ones.entries()) {
          begin(number);
          if (way === "awaited") await ended(number);
          if (way.startsWith("caught")) await caught(ended(number));
          if (way === "caught twice") await caught(ended(number));
        }
        await pause();
        if (again !== undefined) await caught(ended(again));
      })),
    })),
  );
  expect(found).toEqual(cases.map(one => ({ ...one, ...expected(one.ones, one.again) })));
});

test("what is called off runs nothing more, and ends with the reason", async () => {
  const stop = new AbortController();
  const ran: string[] = [];
  const all = new OneByOne<{ readonly name: string }>(async ({ name }) => {
    ran.push(name);
    stop.abort(new Error("interrupted"));
    return undefined;
  }, stop.signal);
  const ending = all.through(() => ["one", "two"].forEach(name => all.begin({ name })));
  expect(await ending.catch((error: Error) => error.message)).toBe("interrupted");
  expect(ran).toEqual(["one"]);
});
