/** Options of commands. @module */

/** An option and its value, or nothing when there is no value. */
export const option = <T extends string | number>(name: string, value: T | undefined): readonly (string | T)[] => (value === undefined ? [] : [name, value]);
