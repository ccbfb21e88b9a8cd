/** Limits of the operating system, and how running into one is told. @module */

/** What was run into, as the end of a sentence, and what to do about it. */
export interface LimitReached {
  readonly message: string;
  readonly hint: string;
}

const LIMITS: Readonly<Record<string, LimitReached>> = {
  EMFILE: {
    message: "this process has as many files and connections open as it may have",
    hint: "Raise the limit with ulimit -n, or run on fewer hosts at a time: --limit, --shard",
  },
  ENFILE: {
    message: "this machine has as many files and connections open as it may have",
    hint: "End other programs, or raise fs.file-max",
  },
  EAGAIN: {
    message: "this user has as many processes as the limit allows",
    hint: "Raise the limit with ulimit -u, or end other programs of this user",
  },
  ENOMEM: { message: "this machine has no memory left", hint: "End other programs, or run on fewer hosts at a time" },
};

/** The limit that an error of the operating system speaks of; `undefined` for any other error. */
export function limitReached(error: unknown): LimitReached | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" && Object.hasOwn(LIMITS, code) ? LIMITS[code] : undefined;
}
