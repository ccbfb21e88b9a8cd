/** Places inside of values, as messages name them. @module */

/** How a member is reached: `.source`, or `["a-b"]`. */
export const memberPath = (key: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
