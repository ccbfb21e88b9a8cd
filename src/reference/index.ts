/** What every operation and fact takes and does: for docs, completion, and the check of arguments. @module */
import { readFile } from "node:fs/promises";
import { argumentCheck, type CheckArguments } from "./check.ts";
import { embedded, type EmbeddedReference } from "./embedded.ts";
import type { Reference, Signatures } from "./model.ts";
import { markFunctions } from "./stray-text.ts";

export { argumentCheck, type CheckArguments } from "./check.ts";
export type {
  ArgumentReference,
  FactReference,
  ObjectType,
  OperationReference,
  Reference,
  Signature,
  Signatures,
  ValueType,
} from "./model.ts";
export { argumentFromText, valueFromText } from "./values.ts";

/** Everything, texts included. From source it may take seconds: the compiler reads them all. */
export const loadReference = (): Promise<Reference> => load<Reference>("reference");

/** The part that arguments are checked and command lines are read with: small, for the way of a deploy. */
export const loadSignatures = (): Promise<Signatures> => load<Signatures>("signatures");

/** The check of the arguments that operations and facts are given. From then on functions that become text say that they are functions. */
export async function loadArgumentCheck(): Promise<CheckArguments> {
  markFunctions();
  return argumentCheck(await loadSignatures());
}

/** The licences of all that tsinfra is made from. */
export const loadLicences = (): Promise<string> => loadText("licences");

const load = async <T>(part: keyof EmbeddedReference): Promise<T> => JSON.parse(await loadText(part)) as T;

const loadText = async (part: keyof EmbeddedReference): Promise<string> =>
  readFile(embedded ? embedded[part] : await pathFromSource(part), "utf8");

async function pathFromSource(part: keyof EmbeddedReference): Promise<string> {
  const { fromSource } = await import("./from-source.ts");
  return fromSource(part);
}
