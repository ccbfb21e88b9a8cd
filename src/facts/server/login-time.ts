/** Times of logins, as the tools of Linux and the BSDs print them. @module */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * `Mon Jan  5 11:03:32 +0100 2026` in ISO 8601; without an offset, where none is printed.
 * `undefined` when the year is not printed: the control machine's clock must not guess it.
 */
export function parseLoginTime(text: string): string | undefined {
  const [, monthName = "", day = ""] = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d+) /.exec(text) ?? [];
  const month = MONTHS.indexOf(monthName) + 1;
  const time = /\b(\d\d:\d\d)(:\d\d)?\b/.exec(text);
  const year = /(?:^| )(\d{4})$/.exec(text)?.[1];
  const offset = / ([+-]\d\d)(\d\d)(?: |$)/.exec(text);
  if (month === 0 || !time || !year) return undefined;
  const date = `${year}-${String(month).padStart(2, "0")}-${day.padStart(2, "0")}`;
  return `${date}T${time[1]}${time[2] ?? ":00"}${offset ? `${offset[1]}:${offset[2]}` : ""}`;
}
