/** Putting text into text. @module */

/** What becomes of the text at an offset. */
export interface Insertion {
  readonly offset: number;
  readonly text: string;
  readonly isEnd: boolean;
}

/** The text with all of them. Ends come before starts, inner ends before outer ones; starts in the order in which they were found, outer ones first. */
export function inserted(text: string, insertions: readonly Insertion[]): string {
  const sorted = insertions
    .map((insertion, order) => ({ ...insertion, order: insertion.isEnd ? -1e9 - order : order }))
    .sort((a, b) => a.offset - b.offset || a.order - b.order);
  let at = 0;
  const parts = sorted.map(({ offset, text: added }) => {
    const part = text.slice(at, offset) + added;
    at = offset;
    return part;
  });
  return parts.join("") + text.slice(at);
}
