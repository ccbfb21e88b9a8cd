/** What loading a user's file threw, with all that the loader knows. @module */
import { existsSync, readFileSync } from "node:fs";
import type { CallSite } from "../core/errors.ts";
import { isImportFailure, loadFailure, type LoadFailure, thrownSite } from "../core/load-error.ts";
import { sitesOf } from "../core/thrown.ts";
import { atItsPattern } from "./destructured.ts";
import { loadingModules, preparedModules } from "./user-modules.ts";

const textOf = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, "utf8") : undefined);

/** Why a file, or something it imports, could not be loaded. */
export const failureOf = (error: unknown, file: string): LoadFailure =>
  loadFailure(error, { file, source: textOf, others: preparedModules(), loading: loadingModules() });

/** Where in the user's files something was thrown, innermost first: also an import that failed, or a value that is no error. */
export function thrownPlaces(thrown: unknown): readonly CallSite[] {
  if (!(thrown instanceof Error)) return writtenPlace(thrown);
  if (!isImportFailure(thrown)) {
    const sites = atItsPattern(thrown, sitesOf(thrown));
    return sites.length === 0 && thrown instanceof DOMException ? writtenPlace(thrown) : sites;
  }
  // What failed to load knows the importing file, or nothing.
  return [failureOf(thrown, "").at ?? []].flat().filter(({ file }) => file !== "");
}

const writtenPlace = (thrown: unknown): readonly CallSite[] =>
  [thrownSite(thrown, preparedModules(), textOf) ?? []].flat();
