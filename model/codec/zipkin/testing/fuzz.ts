// Mutated requests of real tracers (../testdata) for every decoder of this folder.

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Encoding, toOtlp } from '../../encoding.ts';
import {
  checked,
  type FuzzTarget,
  jsonMutator,
  mutatorOf,
} from '../../otlp/testing/fuzz_decoder.ts';
import type { Transcoder } from '../../otlp/transcoder.ts';
import { jsonV1ToOtlp } from '../json_v1.ts';
import { jsonV2ToOtlp } from '../json_v2.ts';
import { proto3ToOtlp } from '../proto3.ts';
import { thriftV1ToOtlp } from '../thrift_v1.ts';

/** Given to spans without any time. */
const NOW_MICROS = 1;

const json = jsonMutator([
  ...['"id":"0",', '"traceId":"', '"tags":{"error":1}', '"ipv6":"::1",', '"port":70000,'],
  ...['"annotations":[{"timestamp":1,"value":"x"}],', '"shared":true,', '"debug":true,'],
]);

const thrift = mutatorOf(
  ['00', 'ff', '7fffffff', 'ffffffff', '80000000', '0c0000ffff', '0f0006', '0b0003', '0c']
    .concat(['0d00010b0c00000001', '0e', '10', '020001', '0a00010000000000000000'])
    .map((hex) => Buffer.from(hex, 'hex')),
);

export function zipkinTargets(transcoder: Transcoder): Readonly<Record<string, FuzzTarget>> {
  return {
    'Zipkin v1 JSON': {
      seeds: seedsOf('zipkin-v1-json'),
      mutate: json,
      decode: checked(transcoder, (bytes) => jsonV1ToOtlp(bytes, NOW_MICROS)),
    },
    'Zipkin v2 JSON': {
      seeds: seedsOf('zipkin-v2-json'),
      mutate: json,
      decode: checked(transcoder, (bytes) => jsonV2ToOtlp(bytes, NOW_MICROS)),
    },
    'Zipkin proto3': {
      seeds: seedsOf('zipkin-v2-proto3'),
      decode: checked(transcoder, (bytes) => proto3ToOtlp(bytes, NOW_MICROS)),
    },
    'Zipkin Thrift': {
      seeds: seedsOf('zipkin-v1-thrift'),
      mutate: thrift,
      decode: checked(transcoder, (bytes) => thriftV1ToOtlp(bytes, NOW_MICROS)),
    },
    'Zipkin JSON of a topic': {
      seeds: [...seedsOf('zipkin-v1-json'), ...seedsOf('zipkin-v2-json')],
      mutate: json,
      decode: checked(transcoder, (bytes) => topic('zipkin_json', bytes)),
    },
    'Zipkin Thrift of a topic': {
      // A list as it is, and its first span by itself.
      seeds: seedsOf('zipkin-v1-thrift').flatMap((list) => [list, list.subarray(LIST_HEAD_BYTES)]),
      mutate: thrift,
      decode: checked(transcoder, (bytes) => topic('zipkin_thrift', bytes)),
    },
  };
}

/** The type and the number of its elements. */
const LIST_HEAD_BYTES = 5;

function topic(encoding: Encoding, bytes: Uint8Array) {
  const otlp = toOtlp(encoding, bytes, NOW_MICROS);
  return otlp === undefined ? ({ ok: false } as const) : ({ ok: true, bytes: otlp } as const);
}

function seedsOf(format: string): Uint8Array[] {
  const folder = new URL('../testdata/', import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      if ((JSON.parse(text) as { format: string }).format !== format) return [];
      const sent = readFileSync(new URL(name.replace(/json$/, 'bin'), folder));
      return [new Uint8Array(sent[0] === 0x1f && sent[1] === 0x8b ? gunzipSync(sent) : sent)];
    });
}
