/** Older names of `ts`. @module */
import { renamed } from "./shared/renamed.ts";
import * as ts from "./ts.ts";

/**
 * Older name of `ts.call`.
 * @deprecated Use `ts.call`.
 * @example
 * python.call({ function: host => host.log("It is my turn") });
 */
export const call = renamed("python.call", ts.call);

/**
 * Older name of `ts.throwError`.
 * @deprecated Use `ts.throwError`.
 * @example
 * python.raiseException({ exception: "The disk is not mounted" });
 */
export const raiseException = renamed("python.raiseException", ts.throwError);
