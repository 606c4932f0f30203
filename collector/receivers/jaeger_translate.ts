// From a decoder's answer to bytes for `accept`, paid for.

import type { Decoded } from '../../model/codec/jaeger/problem.ts';
import { RefusalError } from '../../service/refusal.ts';
import type { Reservation } from './reservation.ts';

/** OTLP has about the size of Jaeger's own forms; a buffer that doubles may be twice that. */
const OUTPUT_FACTOR = 2;

/** The translated bytes. Throws RefusalError: `malformed`, `too_large`, `busy`. */
export function translate(
  body: Uint8Array,
  reservation: Reservation,
  decode: (body: Uint8Array) => Decoded,
): Uint8Array<ArrayBuffer> {
  reservation.take(body.length * OUTPUT_FACTOR);
  const decoded = decode(body);
  if (decoded.ok) return decoded.bytes;
  const { message } = decoded;
  throw new RefusalError({ code: decoded.tooLarge ? 'too_large' : 'malformed', message });
}
