/**
 * The type declarations that the executable carries, for editors and for `tsinfra check` on machines without npm.
 * The build replaces this module: from source there is nothing to carry, since the sources themselves are there.
 * @module
 */

/** Where the archive is: inside the executable; `undefined` when running from source. Zstandard over JSON: an object of texts by path. */
export const archive: string | undefined = undefined;
