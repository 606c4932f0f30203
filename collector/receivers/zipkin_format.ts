// Which of Zipkin's formats a body is in, by its bytes, as Zipkin's own server finds out: tracers
// send the wrong content type, or none. The path says the version that is expected.

import { RefusalError } from '../../service/refusal.ts';
import type { Format } from '../translate.ts';

export type ZipkinFormat = Exclude<Format, 'otlp_json'>;

/** Above it no binary body begins: a field of a list, or a Thrift type. */
const BINARY_MAX = 16;

/** Field 1 of protobuf's ListOfSpans. */
const PROTO3_FIRST = 0x0a;

/** Undefined for a body that holds no span. Throws RefusalError `malformed`. */
export function zipkinFormat(body: Uint8Array, version: 1 | 2): ZipkinFormat | undefined {
  let at = 0;
  while (isSpace(body[at])) at += 1;
  const first = body[at];
  // Zero bytes, spaces only, or the empty list, which may be followed by a line end.
  if (first === undefined) return undefined;
  if (first === 0x5b) return jsonFormat(body, version);
  if (first === 0x7b) throw notAList(version);
  if ((body[0] as number) <= BINARY_MAX) {
    return body[0] === PROTO3_FIRST && body[1] !== 0 ? 'zipkin_proto3' : 'zipkin_thrift';
  }
  throw new RefusalError({ code: 'malformed', message: 'Could not detect the span format' });
}

/** White space that JSON knows, but 0x0a, which protobuf begins with. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09;
}

/** Read as the other version, spans would lose what they say without anyone's noticing. */
function jsonFormat(body: Uint8Array, version: 1 | 2): ZipkinFormat {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length);
  const isV1 = text.includes('yAnnotations"');
  if (version === 2 && isV1) throw otherVersion(2, 1);
  const isV2 = text.includes('Endpoint"') || text.includes('"tags"');
  if (version === 1 && !isV1 && isV2) throw otherVersion(1, 2);
  return version === 1 ? 'zipkin_json_v1' : 'zipkin_json_v2';
}

function notAList(version: 1 | 2): RefusalError {
  const message = `Expected a JSON_V${version} encoded list`;
  return new RefusalError({ code: 'malformed', message });
}

function otherVersion(expected: 1 | 2, received: 1 | 2): RefusalError {
  const message = `Expected a JSON_V${expected} encoded list, but received: JSON_V${received}`;
  return new RefusalError({ code: 'malformed', message });
}
