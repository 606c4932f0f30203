// Times as halves of 64-bit nanoseconds, without a bigint. Jaeger counts microseconds (Thrift) or
// seconds and nanoseconds (protobuf). What does not fit stays at the end of the range, where it is
// seen for what it is, instead of wrapping into a time that looks right.

/** Halves of the last result, as 32-bit numbers of any sign. */
export const nanos = { high: 0, low: 0 };

const TWO_32 = 2 ** 32;
const TWO_16 = 2 ** 16;

/** Above this, a time in microseconds would not be exact as a number: the year 2255. */
const MICROS_MAX = 2 ** 53 - 1;

/** uint64 nanoseconds end here, in the year 2554. */
const SECONDS_MAX = 18_446_744_072;

/** The longest duration: signed 64-bit nanoseconds end after 292 years. */
const DURATION_SECONDS_MAX = 9_223_372_035;

/** A signed 64-bit number from its halves; inexact above 2^53. */
export function fromHalves(high: number, low: number): number {
  return (high | 0) * TWO_32 + (low >>> 0);
}

/** A time: below 0 it is 0, past the end it is the last one there is. */
export function timeOfMicros(micros: number): void {
  if (micros <= 0) set(0, 0);
  else if (micros > MICROS_MAX) set(-1, -1);
  else multiply(micros, 1000, 0);
}

export function timeOfSeconds(seconds: number, nanosOfSecond: number): void {
  if (seconds < 0) set(0, 0);
  else if (seconds > SECONDS_MAX) set(-1, -1);
  else multiply(seconds, 1e9, nanosOfSecond);
}

/** A duration keeps its sign: clients whose clock steps back send negative ones. */
export function durationOfMicros(micros: number): void {
  multiply(Math.min(Math.abs(micros), MICROS_MAX), 1000, 0);
  if (micros < 0) negate();
}

/** google.protobuf.Duration: both parts have the same sign. */
export function durationOfSeconds(seconds: number, nanosOfSecond: number): void {
  multiply(Math.min(Math.abs(seconds), DURATION_SECONDS_MAX), 1e9, Math.abs(nanosOfSecond));
  if (seconds < 0 || nanosOfSecond < 0) negate();
}

/** Adds to the last result, wrapping: an end before its start stays readable as that. */
export function add(high: number, low: number): void {
  const sum = (nanos.low >>> 0) + (low >>> 0);
  set(nanos.high + high + (sum >= TWO_32 ? 1 : 0), sum);
}

/** `value` × `factor` + `more`, for value < 2^53, factor ≤ 1e9, 0 ≤ more < 2^31. */
function multiply(value: number, factor: number, more: number): void {
  // Differences instead of %, which is slow where numbers are above 2^31.
  const valueHigh = Math.floor(value / TWO_16);
  const upper = valueHigh * factor;
  const upperHigh = Math.floor(upper / TWO_16);
  const upperLow = upper - upperHigh * TWO_16;
  const low = (value - valueHigh * TWO_16) * factor + upperLow * TWO_16 + Math.max(more, 0);
  set(upperHigh + Math.floor(low / TWO_32), low);
}

function negate(): void {
  const low = -(nanos.low | 0) | 0;
  set(~nanos.high + (low === 0 ? 1 : 0), low);
}

function set(high: number, low: number): void {
  nanos.high = high | 0;
  nanos.low = low | 0;
}
