// Times as RFC 3339 writes them, to the nanosecond, as Go's time.RFC3339Nano reads them.

const PATTERN =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,30}))?(?:[Zz]|([-+ ])(\d\d):(\d\d))$/;

/**
 * Nanoseconds since 1970; undefined where `text` is no such time. A blank counts as the `+` of an
 * offset: clients put it into URLs as it stands, where it means a blank.
 */
export function parseRfc3339(text: string): bigint | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [, , , , , , , fraction = '', sign = '+', offsetHour = '0', offsetMinute = '0'] = match;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // The 30th of February would be a day of March.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute, second);
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000;
  const utcMs = date.getTime() - (sign === '-' ? -offsetMs : offsetMs);
  return BigInt(utcMs) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}
