/** What a host has answered, and for how long that holds. @module */
import type { Shell } from "../../core/command.ts";
import type { ResolvedArguments } from "./arguments.ts";
import type { ChangeLog } from "./change-log.ts";
import type { PendingQuestion } from "./fact-batches.ts";
import type { Slot } from "./sending.ts";

/** The answer of one question, or the promise of it. */
export interface Answer {
  readonly value: Promise<unknown>;
  readonly askedAt: number;
  /** When it was sent, by the log of what has run elsewhere. */
  moment: number;
  /** Until then it waits, and what happens on the host does not concern it. */
  isSent: boolean;
  slot: Slot | undefined;
}

/** What tells how old an answer of that host is. */
interface Moments {
  readonly host: string;
  readonly changes?: ChangeLog | undefined;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Nothing has run elsewhere since it was sent for, and it is no older than so many seconds. */
export const isFresh = ({ askedAt, moment }: Answer, seconds: number, { changes, host, now }: Moments): boolean =>
  now() - askedAt <= seconds * 1000 && (changes === undefined || moment > changes.lastElsewhere(host));

/** A question whose last answer is taken for true. */
export interface Recalled {
  readonly key: string;
  readonly how: ResolvedArguments;
  /** A shell test that it is, for a shell of the user as whom it was asked. */
  readonly still: () => Shell;
}

/** The last answer of a question, as the host printed it. */
export interface Remembered {
  readonly question: Pick<PendingQuestion, "fact" | "args" | "how" | "limit">;
  readonly value: unknown;
  readonly lines: readonly string[];
}
