/** The reference that the executable carries. @module */

/** Paths of JSON files: everything, and the part that arguments are checked with. */
export interface EmbeddedReference {
  readonly reference: string;
  readonly signatures: string;
}

/** `undefined` from source. The build puts another file in the place of this one. */
export const embedded: EmbeddedReference | undefined = undefined;
