/** A moment on a host's own clock. @module */

/** A date that remembers how far its host's zone is ahead of UTC. As JSON it is the host's local time with that offset. */
export class HostDate extends Date {
  /** Minutes that the host's zone is ahead of UTC. */
  readonly offsetMinutes: number;

  constructor(epochMs: number, offsetMinutes: number) {
    super(epochMs);
    this.offsetMinutes = offsetMinutes;
  }

  /** `2026-01-31T09:16:23+01:00`. */
  override toJSON(): string {
    const local = new Date(this.getTime() + this.offsetMinutes * 60_000).toISOString().slice(0, 19);
    const [hours, minutes] = [Math.floor(Math.abs(this.offsetMinutes) / 60), Math.abs(this.offsetMinutes) % 60];
    return `${local}${this.offsetMinutes < 0 ? "-" : "+"}${pad(hours)}:${pad(minutes)}`;
  }
}

/** Read `2026-01-31T09:16:23+0100`. Throws `SyntaxError` for anything else. */
export function parseHostDate(text: string): HostDate {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([+-])(\d\d):?(\d\d)$/.exec(text);
  if (!found) throw new SyntaxError(`Not a date with an offset: ${JSON.stringify(text)}`);
  const offsetMinutes = (found[7] === "-" ? -1 : 1) * (Number(found[8]) * 60 + Number(found[9]));
  return new HostDate(Date.parse(`${text.slice(0, 19)}Z`) - offsetMinutes * 60_000, offsetMinutes);
}

const pad = (value: number): string => String(value).padStart(2, "0");
