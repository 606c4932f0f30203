// Durations as Go writes them ("1.2ms", "1h30m"), with the error texts of Go's time.ParseDuration,
// which users of Jaeger's API know.

const UNIT_NANOS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n], // U+00B5, micro sign
  ['μs', 1_000n], // U+03BC, Greek letter mu
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const INT64_MAX = 2n ** 63n - 1n;
/** Longer texts are no durations; Go takes any length, in time that grows with it. */
const LENGTH_MAX = 100;
/** Go keeps as many digits of a fraction as fit in 63 bits; nobody means more. */
const FRACTION_DIGITS_MAX = 18;

export type ParsedDuration =
  | { readonly ok: true; readonly nanos: bigint }
  | { readonly ok: false; readonly error: string };

export function parseGoDuration(text: string): ParsedDuration {
  const invalid: ParsedDuration = { ok: false, error: `time: invalid duration ${quote(text)}` };
  if (text.length > LENGTH_MAX) return invalid;
  const sign = /^[-+]/.test(text) ? text[0]! : '';
  let rest = text.slice(sign.length);
  if (rest === '0') return { ok: true, nanos: 0n };
  if (rest === '') return invalid;
  let total = 0n;
  while (rest !== '') {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest)!;
    const [all, whole = '', fraction = ''] = number;
    if (whole === '' && fraction === '') return invalid;
    rest = rest.slice(all.length);
    const unit = /^[^.\d]*/.exec(rest)![0];
    if (unit === '') {
      return { ok: false, error: `time: missing unit in duration ${quote(text)}` };
    }
    const nanos = UNIT_NANOS.get(unit);
    if (nanos === undefined) {
      return { ok: false, error: `time: unknown unit ${quote(unit)} in duration ${quote(text)}` };
    }
    rest = rest.slice(unit.length);
    total += BigInt(whole === '' ? '0' : whole) * nanos + fractionOf(fraction, nanos);
    if (total > INT64_MAX) return invalid;
  }
  return { ok: true, nanos: sign === '-' ? -total : total };
}

function fractionOf(digits: string, unitNanos: bigint): bigint {
  const kept = digits.slice(0, FRACTION_DIGITS_MAX);
  return kept === '' ? 0n : (BigInt(kept) * unitNanos) / 10n ** BigInt(kept.length);
}

/** As Go's strconv.Quote where it matters to a reader, and cut: an error need not repeat it all. */
export function quote(text: string): string {
  const shown = text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}…` : text;
  const escaped = shown
    .replaceAll(/["\\]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replaceAll(
      /[\p{Cc}\p{Cf}\p{Cs}]/gu,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  return `"${escaped}"`;
}

/** As Go's time.Duration writes itself: `1.5ms`, `2m0s`, `-1h0m0.5s`. */
export function formatGoDuration(nanos: bigint): string {
  if (nanos < 0n) return `-${formatGoDuration(-nanos)}`;
  if (nanos === 0n) return '0s';
  for (const unit of ['ns', 'µs', 'ms', 's']) {
    const size = UNIT_NANOS.get(unit)!;
    if (unit === 's' || nanos < size * 1000n) return longUnits(nanos, size) + unit;
  }
  return '';
}

const SECOND_NANOS = 1_000_000_000n;

/** All but the last unit: from a second on, hours and minutes come before it. */
function longUnits(nanos: bigint, unitNanos: bigint): string {
  if (unitNanos !== SECOND_NANOS) return decimal(nanos, unitNanos);
  const minutes = nanos / (60n * SECOND_NANOS);
  const seconds = decimal(nanos % (60n * SECOND_NANOS), SECOND_NANOS);
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(nanos: bigint, unitNanos: bigint): string {
  const digits = unitNanos.toString().length - 1;
  const fraction = (nanos % unitNanos).toString().padStart(digits, '0').replace(/0+$/, '');
  const whole = `${nanos / unitNanos}`;
  return digits === 0 || fraction === '' ? whole : `${whole}.${fraction}`;
}
