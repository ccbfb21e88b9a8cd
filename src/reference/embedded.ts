/** The reference that the executable carries. @module */

/** Paths of files. */
export interface EmbeddedReference {
  /** JSON: everything. */
  readonly reference: string;
  /** JSON: the part that arguments are checked with. */
  readonly signatures: string;
  /** Text: the licences of all that tsinfra is made from. */
  readonly licences: string;
}

/** `undefined` from source. The build puts another file in the place of this one. */
export const embedded: EmbeddedReference | undefined = undefined;
