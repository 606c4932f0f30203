// google.protobuf.Timestamp and Duration as ProtoJSON writes them.

/** As on the wire: both of the same sign for a duration, nanos never below 0 for a time. */
export interface WireTime {
  readonly seconds: number;
  readonly nanos: number;
}

/** Longer than any that is meant; a pattern over more would only cost. */
export const TIME_CHARS_MAX = 64;

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;

/** RFC 3339, with any offset. Undefined for others, and for days that no calendar has. */
export function readTime(text: string): WireTime | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  const offsetHour = Number(match[9] ?? 0);
  const offsetMinute = Number(match[10] ?? 0);
  // Second 60 is a leap second, which counts as the one after it.
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) {
    return undefined;
  }
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for those of the last century.
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = (offsetHour * 60 + offsetMinute) * 60 * (match[8] === '-' ? -1 : 1);
  const seconds = date.getTime() / 1000 + (hour * 60 + minute) * 60 + second - offset;
  return { seconds, nanos: nanosOf(match[7]) };
}

/** `1.5s`, `-0.000001s`. */
export function readDuration(text: string): WireTime | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const sign = match[1] === '-' ? -1 : 1;
  return { seconds: sign * Number(match[2]), nanos: sign * nanosOf(match[3]) };
}

function nanosOf(fraction = ''): number {
  return Number(fraction.padEnd(9, '0'));
}
