/** Unified diffs of file contents. @module */
import { createTwoFilesPatch } from "diff";

/** A unified diff with three lines of context; `undefined` stands for a file that is not there. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  const patch = createTwoFilesPatch(
    before === undefined ? "/dev/null" : path,
    after === undefined ? "/dev/null" : path,
    before ?? "",
    after ?? "",
    "",
    "",
    {
      context: 3,
    },
  );
  return patch.replace(/^=+\n/, "").trimEnd();
}
