// OTLP/JSON for the fuzzer: requests as a tracer writes them, and what to put into them.

import { jsonToProto } from '../json_to_proto.ts';
import type { Transcoder } from '../transcoder.ts';
import { checked, type FuzzTarget, jsonMutator } from './fuzz_decoder.ts';

const WORDS = [
  ...['"traceId":"', '"spanId":"00"', '"kind":"SPAN_KIND_SERVER"', '"startTimeUnixNano":-1'],
  ...['"intValue":"9223372036854775808"', '"doubleValue":"NaN"', '"bytesValue":"AA=="'],
  ...['"arrayValue":{"values":[', '"kvlistValue":{"values":[', '"attributes":[{"key":"a"}],'],
];

const SEEDS: readonly unknown[] = [
  {},
  { resourceSpans: [] },
  request({ name: 'GET /', kind: 2, status: { code: 2, message: 'no 🧭' } }),
  request({
    attributes: [
      { key: 'a', value: { stringValue: 'ž' } },
      { key: 'b', value: { intValue: '-42' } },
      { key: 'c', value: { doubleValue: 1.5 } },
      { key: 'd', value: { arrayValue: { values: [{ boolValue: true }, {}] } } },
      { key: 'e', value: { kvlistValue: { values: [{ key: 'f', value: { intValue: 1 } }] } } },
      { key: 'g', value: { bytesValue: 'AQID' } },
    ],
    droppedAttributesCount: 1,
  }),
  request({
    parentSpanId: '3132333435363738',
    traceState: 'a=b',
    flags: 257,
    events: [{ timeUnixNano: '1795398050217427000', name: 'x', attributes: [] }],
    links: [{ traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174' }],
  }),
];

function request(span: object): object {
  const spans = [
    {
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b173',
      startTimeUnixNano: '1795398050217427000',
      endTimeUnixNano: 1_795_398_050_217,
      ...span,
    },
  ];
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 's' }, spans }] }] };
}

/** What is taken must also be JSON to JSON.parse, which shares nothing with our scanner. */
export function jsonTarget(transcoder: Transcoder): FuzzTarget {
  const decode = checked(transcoder, jsonToProto);
  return {
    seeds: SEEDS.map((seed) => new Uint8Array(Buffer.from(JSON.stringify(seed)))),
    mutate: jsonMutator(WORDS),
    decode: (bytes) => {
      if (!decode(bytes)) return false;
      JSON.parse(
        Buffer.from(bytes)
          .toString()
          .replace(/^\ufeff/, ''),
      );
      return true;
    },
  };
}
