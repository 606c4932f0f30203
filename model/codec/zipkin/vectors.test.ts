// What Zipkin 3.6 answers to hand-made inputs (testdata/, see its README.md).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Decoded } from './decoded.ts';
import { jsonV1ToOtlp } from './json_v1.ts';
import { jsonV2ToOtlp } from './json_v2.ts';
import { proto3ToOtlp } from './proto3.ts';
import { spansOf } from './testing/spans_of.ts';
import { thriftV1ToOtlp } from './thrift_v1.ts';
import { toZipkinSpan } from './to_json.ts';
import type { V1Span, V2Span } from './v1_span.ts';
import { v1ToV2 } from './v1_to_v2.ts';

interface DecodeCase {
  readonly case: string;
  readonly shape: 'list' | 'one';
  readonly hex: string;
  readonly spans?: readonly V2Span[];
  readonly error?: string;
}

const NOW = 1_795_400_000_000_000;

function lines<T>(name: string): T[] {
  const text = readFileSync(new URL(`./testdata/${name}.jsonl`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** Zipkin's API writes both names in lower case; we keep them. */
function inLowerCase(span: V2Span): V2Span {
  const text = JSON.stringify(span);
  const copy = JSON.parse(text) as V2Span;
  if (copy.name !== undefined) copy.name = copy.name.toLowerCase();
  for (const key of ['localEndpoint', 'remoteEndpoint'] as const) {
    const name = copy[key]?.serviceName;
    if (name !== undefined) copy[key] = { ...copy[key], serviceName: name.toLowerCase() };
  }
  return copy;
}

const byId = (a: V2Span, b: V2Span) =>
  JSON.stringify([a.id, a.kind ?? '', a.localEndpoint ?? '']) <
  JSON.stringify([b.id, b.kind ?? '', b.localEndpoint ?? ''])
    ? -1
    : 1;

function shown(answer: Decoded): V2Span[] {
  if (!answer.ok) assert.fail(answer.message);
  return spansOf(answer.bytes).map(toZipkinSpan).map(inLowerCase).sort(byId);
}

/** Decoders take lists. */
function listed(bytes: Buffer, format: string, shape: DecodeCase['shape']): Buffer {
  if (shape === 'list' || format === 'PROTO3') return bytes;
  if (format === 'THRIFT') return Buffer.concat([Buffer.from('0c00000001', 'hex'), bytes]);
  return Buffer.concat([Buffer.from('['), bytes, Buffer.from(']')]);
}

const DECODERS = {
  JSON_V1: jsonV1ToOtlp,
  JSON_V2: jsonV2ToOtlp,
  PROTO3: proto3ToOtlp,
  THRIFT: thriftV1ToOtlp,
} as const;

/** Without what only Zipkin's libraries know: lines, columns, links to their documentation. */
function essence(message: string): string {
  return message
    .replace(/ at line .* path/, ' at')
    .replace(/\nSee \S+/, '')
    .replace(/ reading (List<)?Span>? from /, ' reading ')
    .replace('$[0]', '$');
}

for (const [format, decode] of Object.entries(DECODERS)) {
  for (const [i, given] of lines<DecodeCase>(`decode-${format}`).entries()) {
    test(`${format} ${i}: ${given.case}`, () => {
      const bytes = listed(Buffer.from(given.hex, 'hex'), format, given.shape);
      const answer = decode(bytes, NOW);
      if (given.error === undefined) {
        assert.deepEqual(shown(answer), [...(given.spans ?? [])].map(inLowerCase).sort(byId));
        return;
      }
      assert.ok(!answer.ok);
      assertSameError(answer.message, given.error, format);
    });
  }
}

function assertSameError(message: string, expected: string, format: string): void {
  // Thrift's reader has its own words for where it stopped.
  if (format === 'THRIFT') assert.match(message, /^(Malformed|Truncated): .* from TBinary$/);
  // NULL is no JSON; gson reads it nevertheless, to say that it is null.
  else if (expected.includes('was NULL') && /Malformed: /.test(message)) {
    assert.match(message, /Malformed: the JSON is broken at byte \d+/);
  } else assert.equal(essence(message), essence(expected));
}

/** No endpoint is null there. */
function absent(_key: string, value: unknown): unknown {
  return value === null ? undefined : value;
}

interface V1Case {
  readonly case: string;
  readonly v1: Partial<V1Span> & Pick<V1Span, 'traceId' | 'id'>;
  readonly v2: readonly V2Span[];
}

for (const [i, given] of lines<V1Case>('v1-to-v2').entries()) {
  test(`v1 to v2 ${i}: ${given.case}`, () => {
    const full: V1Span = {
      timestamp: 0,
      duration: 0,
      debug: false,
      annotations: [],
      binaryAnnotations: [],
      ...(JSON.parse(JSON.stringify(given.v1), absent) as V1Case['v1']),
    };
    const plain = v1ToV2(full).map((span) => JSON.parse(JSON.stringify(span)) as V2Span);
    for (const span of plain) span.annotations?.sort((a, b) => a.timestamp - b.timestamp);
    assert.deepEqual(plain, given.v2);
  });
}
