/** The reference: what every operation and fact is called, takes and gives, as data. @module */

/** What a value has to be, small as JSON and checkable at run time. */
export type ValueType =
  | NamedType
  /** One of these values. */
  | { readonly is: readonly (string | number | boolean)[] }
  | { readonly list: ValueType }
  | { readonly tuple: readonly ValueType[] }
  /** A map with any keys. */
  | { readonly map: ValueType }
  | ObjectType
  | { readonly any: readonly ValueType[] };

/** Types that a name is enough for; `unknown` takes anything, `object` anything that has properties. */
export type NamedType =
  | "string"
  | "number"
  | "boolean"
  | "null"
  | "function"
  | "secret"
  | "bytes"
  | "date"
  | "shell"
  | "set"
  | "error"
  | "object"
  | "unknown";

/** An object with known keys. */
export interface ObjectType {
  readonly fields: Readonly<Record<string, ValueType>>;
  readonly required?: readonly string[];
  /** What keys beyond `fields` may hold; absent: there may be none. */
  readonly rest?: ValueType;
}

/** What an operation or fact takes. */
export interface Signature extends ObjectType {
  /** Arguments that the command line accepts by position. */
  readonly positional?: readonly string[];
}

/** The part of the reference that a run needs to check arguments. */
export interface Signatures {
  readonly operations: Readonly<Record<string, Signature>>;
  readonly facts: Readonly<Record<string, Signature>>;
  /** What every operation takes beside its own. */
  readonly globals: Readonly<Record<string, ValueType>>;
  /** Old names of operations and facts. */
  readonly aliases: Readonly<Record<string, string>>;
}

/** One argument, or one field of an argument that is an object. */
export interface ArgumentReference {
  readonly name: string;
  /** Its TSDoc; empty if there is none. */
  readonly text: string;
  readonly required: boolean;
  readonly type: ValueType;
  /** The type as a person reads it. */
  readonly typeText: string;
  /** Source text of the default, where the code that applies it could be found. */
  readonly default?: string;
  /** What the objects in it are made of. */
  readonly fields?: readonly ArgumentReference[];
}

interface Entry {
  /** `module.name`. */
  readonly name: string;
  readonly module: string;
  /** First paragraph of its TSDoc; empty if there is none. */
  readonly summary: string;
  /** The other paragraphs. */
  readonly text?: string;
  readonly arguments: readonly ArgumentReference[];
  /** The type of what keys beyond the arguments may hold. */
  readonly rest?: ValueType;
  readonly deprecated?: string;
  readonly examples: readonly string[];
  /** Source file, relative to the repository. */
  readonly source: string;
}

export interface OperationReference extends Entry {
  readonly positional: readonly string[];
  readonly idempotent: true | string;
  /** Systems that tests of ours apply it to, sorted; none: not run on a real system. */
  readonly testedOn: readonly string[];
}

export interface FactReference extends Entry {
  readonly resultText: string;
  /** What the objects in the answer are made of. */
  readonly resultFields?: readonly ArgumentReference[];
  /** The command without which the answer is empty. */
  readonly requires?: string;
}

export interface ModuleReference {
  readonly name: string;
  /** TSDoc of the module; empty if there is none. */
  readonly summary: string;
}

/** Everything, sorted by name. */
export interface Reference {
  readonly operations: readonly OperationReference[];
  readonly facts: readonly FactReference[];
  readonly operationModules: readonly ModuleReference[];
  readonly factModules: readonly ModuleReference[];
  /** What every operation takes beside its own. */
  readonly globals: readonly ArgumentReference[];
  /** Old name to the name to use, of operations and facts. */
  readonly aliases: Readonly<Record<string, string>>;
  /** What is declared, but could not be read, and why. */
  readonly problems: readonly string[];
}
