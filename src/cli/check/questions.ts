/** What is asked about an expression, as functions of types. @module */

/** What the compiler may answer. */
export type Fault =
  | "generator"
  | "promise"
  | "promises"
  | "handle"
  | "command"
  | "function"
  /** A function that is asked for true or false, without anything; and one that gives a promise of it. */
  | "question"
  | "promising"
  | "missing"
  | "null"
  | "nothing"
  | "list"
  | "held"
  | "plain"
  | "current"
  | "host"
  | "deploy";

/** A fault of a type that is not `any`. */
const known = (fault: string): string => `__TsinfraIsAny<T> extends true ? number : ${fault}`;

/** What each function finds wrong with the type `T` of what it is given; `I` tells the places apart. */
const FAULTS: Readonly<Record<string, string>> = {
  Hosts: `__TsinfraHostsFault<I, T>`,
  Truth: `__TsinfraTruthFault<I, T>`,
  Presence: `__TsinfraPresenceFault<I, T>`,
  Content: `__TsinfraContentFault<I, T>`,
  Depth: `__TsinfraDepthFault<I, T>`,
  Compared: `__TsinfraComparedFault<I, T>`,
  // A name that holds either a value or its promise may be compared, to tell which.
  ComparedName: `[Exclude<T, __TsinfraNothing>] extends [__TsinfraPromiseOf<T>] ? __TsinfraComparedFault<I, T> : __TsinfraHas<__TsinfraPromiseOf<T>> extends true ? number : __TsinfraComparedFault<I, T>`,
  List: known(`T extends readonly unknown[] ? \`\${I} list\` : number`),
  Items: known(`T extends readonly (infer E)[] ? __TsinfraTruthFault<I, E> : number`),
  Answer: known(`NonNullable<T> extends (...given: any) => infer R ? __TsinfraTruthFault<I, R> : number`),
  Ended: known(
    `__TsinfraHas<Extract<T, { didChange(): boolean; didError(): boolean }>> extends true ? \`\${I} handle\` : number`,
  ),
  Deploy: known(
    `__TsinfraHas<Exclude<Extract<T, { didChange(): boolean } & PromiseLike<unknown>>, __TsinfraNeedNotWait>> extends true ? \`\${I} deploy\` : number`,
  ),
  Promise: `__TsinfraPromiseFault<I, T>`,
  Command: `__TsinfraDroppedFault<I, T>`,
  Made: known(`__TsinfraDroppedFault<I, __TsinfraListOf<T>>`),
  Name: known(`__TsinfraHas<__TsinfraFunctionOf<T>> extends true ? \`\${I} function\` : __TsinfraDroppedFault<I, T>`),
  Member: known(`__TsinfraHas<__TsinfraActionOf<T>> extends true ? \`\${I} function\` : __TsinfraDroppedFault<I, T>`),
  Awaited: known(`__TsinfraAwaitedFault<I, __TsinfraListOf<T>>`),
  AwaitedName: known(
    `[T] extends [(...given: any) => any] ? __TsinfraHas<Extract<T, { then: any }>> extends true ? number : __TsinfraHas<T> extends true ? \`\${I} function\` : number : __TsinfraAwaitedFault<I, __TsinfraListOf<T>>`,
  ),
  Each: known(`[T] extends [never] ? number : [T] extends [void] ? \`\${I} nothing\` : number`),
  Result: known(`T extends (...given: any) => infer R ? __TsinfraPromiseFault<I, R> : number`),
  Text: `__TsinfraTextFault<I, T>`,
  Json: `__TsinfraIsUnknown<T> extends true ? number : undefined extends T ? \`\${I} missing\` : number`,
};

/** What the compiler must know of the functions that expressions go through. A type that it does not know, `any`, has no fault. */
export const DECLARATIONS = `
type __TsinfraIsAny<T> = 0 extends 1 & T ? true : false;
type __TsinfraNeedNotWait = { didChange(): boolean; stdout: string } | { didChange(): boolean; value: unknown };
type __TsinfraPromiseOf<T> = T extends Promise<any> ? T : T extends __TsinfraNeedNotWait ? never : T extends PromiseLike<any> ? T : never;
type __TsinfraPromisesOf<T> = T extends readonly (infer E)[] ? (__TsinfraIsAny<E> extends true ? never : __TsinfraPromiseOf<E>) : never;
type __TsinfraListOf<T> = T extends ReadonlyMap<any, infer E> ? readonly E[] : T extends ReadonlySet<infer E> ? readonly E[] : T;
type __TsinfraItemsOf<T> = T extends Iterable<infer E> ? (__TsinfraIsAny<E> extends true ? never : E) : never;
type __TsinfraHostsFault<I extends number, T> = __TsinfraIsUnknown<T> extends true
  ? number
  : __TsinfraHas<__TsinfraPromiseOf<T>> extends true
  ? \`\${I} promise\`
  : __TsinfraHas<__TsinfraPromiseOf<__TsinfraItemsOf<T>> | __TsinfraPromisesOf<__TsinfraItemsOf<T>>> extends true
  ? \`\${I} promises\`
  : T extends { readonly hosts: infer H } ? __TsinfraHostsFault<I, H> : number;
type __TsinfraHandleOf<T> = T extends { didChange(): boolean } ? T : never;
type __TsinfraFunctionOf<T> = T extends (...given: any) => any ? T : never;
type __TsinfraHas<T> = [T] extends [never] ? false : true;
type __TsinfraGeneratorOf<T> = T extends Generator<any, any, any> | AsyncGenerator<any, any, any> ? T : never;
type __TsinfraAwaitedFault<I extends number, T> = __TsinfraIsAny<T> extends true
  ? number
  : __TsinfraHas<__TsinfraGeneratorOf<T>> extends true
  ? \`\${I} generator\`
  : __TsinfraHas<__TsinfraPromisesOf<T>> extends true ? \`\${I} promises\` : number;
type __TsinfraPromiseFault<I extends number, T> = __TsinfraIsAny<T> extends true
  ? number
  : __TsinfraHas<__TsinfraPromiseOf<T>> extends true ? \`\${I} promise\` : __TsinfraAwaitedFault<I, T>;
type __TsinfraIsCommand<T> = [T] extends [never] ? false : [T] extends [import("tsinfra").Command] ? true : false;
type __TsinfraDroppedFault<I extends number, T> = __TsinfraIsAny<T> extends true
  ? number
  : __TsinfraIsCommand<T> extends true ? \`\${I} command\` : __TsinfraPromiseFault<I, T>;
type __TsinfraActionOf<T> = T extends (...given: any) => infer R
  ? __TsinfraIsAny<R> extends true ? never : R extends PromiseLike<any> | { didChange(): boolean } ? T : never
  : never;
type __TsinfraTextFault<I extends number, T> = __TsinfraIsAny<T> extends true
  ? number
  : __TsinfraHas<__TsinfraHandleOf<T>> extends true
  ? \`\${I} handle\`
  : __TsinfraHas<__TsinfraPromiseOf<T>> extends true
  ? \`\${I} promise\`
  : __TsinfraHas<__TsinfraPromisesOf<__TsinfraListOf<T>>> extends true
  ? \`\${I} promises\`
  : __TsinfraHas<__TsinfraFunctionOf<T>> extends true
  ? \`\${I} function\`
  : unknown extends T
  ? number
  : undefined extends T
  ? \`\${I} missing\`
  : null extends T ? \`\${I} null\` : number;
type __TsinfraIsUnknown<T> = unknown extends T ? true : false;
type __TsinfraNothing = undefined | null | void;
type __TsinfraMayMiss<T> = __TsinfraHas<Extract<T, __TsinfraNothing>>;
type __TsinfraTruthFault<I extends number, T> = __TsinfraIsUnknown<T> extends true
  ? number
  : __TsinfraMayMiss<T> extends true
  ? number
  : __TsinfraHas<__TsinfraPromiseOf<T>> extends true
  ? \`\${I} promise\`
  : __TsinfraHas<T> extends false
  ? number
  : [T] extends [__TsinfraNeedNotWait]
  ? \`\${I} handle\`
  : [T] extends [(...given: any) => infer R] ? \`\${I} \${__TsinfraFunctionKind<T, R>}\` : number;
type __TsinfraLengthOf<T> = T extends (...given: infer P) => any ? P["length"] : never;
type __TsinfraFunctionKind<T, R> = [__TsinfraIsAny<R>, __TsinfraHas<R>, __TsinfraLengthOf<T>] extends [false, true, 0]
  ? [R] extends [boolean] ? "question" : [R] extends [boolean | Promise<boolean>] ? "promising" : "function"
  : "function";
type __TsinfraPresenceFault<I extends number, T> = __TsinfraIsUnknown<T> extends true
  ? number
  : __TsinfraHas<T> extends true ? [T] extends [__TsinfraPromiseOf<T>] ? \`\${I} promise\` : number : number;
type __TsinfraContentFault<I extends number, T> = __TsinfraIsUnknown<T> extends true
  ? number
  : __TsinfraHas<__TsinfraPromiseOf<T>> extends true ? \`\${I} promise\` : number;
type __TsinfraHeldIn<T, D extends readonly unknown[]> = __TsinfraIsUnknown<T> extends true
  ? never
  : D["length"] extends 4
  ? never
  : T extends __TsinfraNeedNotWait | ((...given: never) => unknown) | { toJSON(...given: never): unknown }
  ? never
  : T extends PromiseLike<any>
  ? T
  : T extends readonly (infer E)[]
  ? __TsinfraHeldIn<E, readonly [...D, 0]>
  : T extends object ? { [K in keyof T]-?: __TsinfraHeldIn<T[K], readonly [...D, 0]> }[keyof T] : never;
type __TsinfraDepthFault<I extends number, T> = __TsinfraIsUnknown<T> extends true
  ? number
  : __TsinfraHas<__TsinfraPromiseOf<T>> extends true
  ? \`\${I} promise\`
  : __TsinfraHas<__TsinfraPromisesOf<T>> extends true
  ? \`\${I} promises\`
  : __TsinfraHas<__TsinfraHeldIn<T, readonly []>> extends true ? \`\${I} held\` : number;
type __TsinfraComparedFault<I extends number, T> = __TsinfraIsUnknown<T> extends true
  ? number
  : __TsinfraHas<__TsinfraPromiseOf<T>> extends true
  ? \`\${I} promise\`
  : __TsinfraHas<Exclude<T, __TsinfraNothing>> extends false
  ? number
  : [NonNullable<T>] extends [import("tsinfra").CurrentHost]
  ? \`\${I} current\`
  : [NonNullable<T>] extends [import("tsinfra").Host] ? \`\${I} host\` : \`\${I} plain\`;
declare function __tsinfraAdded<I extends number, S, T>(
  id: I,
  target: S,
  value: T,
  fault: __TsinfraIsAny<S> extends true ? number : [S] extends [string] ? __TsinfraTextFault<I, T> : number,
): T;
type __TsinfraHost = { readonly groups: readonly string[]; readonly data: object };
type __TsinfraDatum<T> = __TsinfraIsAny<T> extends true ? T : unknown extends T ? {} | undefined : Exclude<T, null>;
declare function __tsinfraDatum<H, T>(host: H, value: T): __TsinfraIsAny<H> extends true ? T : H extends __TsinfraHost ? __TsinfraDatum<T> : T;
declare function __tsinfraPresent<H, T>(host: H, value: T): __TsinfraIsAny<H> extends true ? T : H extends __TsinfraHost ? NonNullable<T> : T;
declare function __tsinfraData<H, T>(
  host: H,
  value: T,
): __TsinfraIsAny<H> extends true ? T : H extends __TsinfraHost
  ? { [K in keyof T]: __TsinfraDatum<T[K]> } & { [K in __TsinfraGiven]: {} }
  : T;
${Object.entries(FAULTS)
  .map(
    ([name, fault]) => `declare function __tsinfra${name}<I extends number, T>(id: I, value: T, fault: ${fault}): T;`,
  )
  .join("\n")}
declare function __tsinfraFact<T>(value: T): __TsinfraIsAny<T> extends true ? Promise<any> : T;
`;

/** The keys of host data that every host has, as a type. */
export const givenType = (keys: ReadonlySet<string>): string =>
  `type __TsinfraGiven = ${[...keys].map(key => JSON.stringify(key)).join(" | ") || "never"};\n`;
