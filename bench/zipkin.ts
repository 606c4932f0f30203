// Zipkin JSON v2 and protobuf to OTLP bytes (one thread), beside JSON.parse and protobufjs objects.

import protobuf from 'protobufjs';
import { jsonV2ToOtlp } from '../model/codec/zipkin/json_v2.ts';
import { proto3ToOtlp } from '../model/codec/zipkin/proto3.ts';
import { V1Batch } from '../model/codec/zipkin/v1_batch.ts';
import type { V2Span } from '../model/codec/zipkin/v1_span.ts';
import { numericFlags } from './flags.ts';
import { measureInterleaved } from './measure.ts';
import { type Figure, writeReport } from './report.ts';

/** What Brave's reporter sends at once under load, with the tags of an HTTP server and client. */
const SPANS_PER_REQUEST = 100;
const NOW_MICROS = 1_795_400_000_000_000;

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { rounds: 5, seconds: 1 });
  const spans = Array.from({ length: SPANS_PER_REQUEST }, (_, i) => span(i));
  const json = new TextEncoder().encode(JSON.stringify(spans));
  const proto = encodeProto(spans);
  const measured = measureInterleaved(
    {
      'JSON v2 to OTLP': counted(() => {
        if (!jsonV2ToOtlp(json, NOW_MICROS).ok) throw new Error('refused');
      }),
      'JSON.parse, objects to OTLP': counted(() => {
        const parsed = JSON.parse(new TextDecoder().decode(json)) as V2Span[];
        toOtlp(parsed);
      }),
      'proto3 to OTLP': counted(() => {
        if (!proto3ToOtlp(proto, NOW_MICROS).ok) throw new Error('refused');
      }),
      'protobufjs decode, objects to OTLP': counted(() => {
        const decoded = LIST.decode(proto) as unknown as { spans: WireSpan[] };
        toOtlp(decoded.spans.map(fromWire));
      }),
    },
    flags.rounds,
    flags.seconds,
  );
  const figures: Figure[] = Object.entries(measured).map(([what, figure]) => ({
    what,
    spansPerRequest: SPANS_PER_REQUEST,
    ...figure,
  }));
  const of = (what: keyof typeof measured): number => measured[what].spansPerCpuSecond;
  await writeReport({
    name: 'zipkin',
    parameters: flags,
    figures,
    ratios: {
      'JSON v2 / JSON.parse': of('JSON v2 to OTLP') / of('JSON.parse, objects to OTLP'),
      'proto3 / protobufjs': of('proto3 to OTLP') / of('protobufjs decode, objects to OTLP'),
    },
  });
}

function counted(walk: () => void): { once: () => number } {
  return {
    once: () => {
      walk();
      return SPANS_PER_REQUEST;
    },
  };
}

function toOtlp(spans: readonly V2Span[]): void {
  const batch = new V1Batch(NOW_MICROS, 64 * 1024);
  for (const one of spans) batch.addV2(one);
  batch.finish();
}

function span(i: number): V2Span {
  const isServer = i % 2 === 0;
  const id = (0x5b41_8566_6d50 + i).toString(16).padStart(16, '5');
  return {
    traceId: `7180c278b62e8f6a${(0x216a_2aea_45d0 + (i >> 2)).toString(16).padStart(16, '2')}`,
    parentId: '6b221d5bc9e6496c',
    id,
    kind: isServer ? 'SERVER' : 'CLIENT',
    name: isServer ? 'get /api/orders/{id}' : 'post',
    timestamp: NOW_MICROS + i * 137,
    duration: 20_000 + i,
    localEndpoint: { serviceName: 'order-service', ipv4: '10.23.14.72' },
    remoteEndpoint: { ipv4: '10.23.7.181', port: 41_000 + i },
    ...(i % 5 === 0 ? { annotations: [{ timestamp: NOW_MICROS + i * 137, value: 'retry' }] } : {}),
    tags: {
      'http.method': 'GET',
      'http.path': `/api/orders/${i * 7919}`,
      'mvc.controller.class': 'OrderController',
      'mvc.controller.method': 'find',
      ...(i % 20 === 0 ? { error: 'connection reset' } : {}),
    },
  };
}

/** zipkin.proto, as far as these spans need it. */
const LIST = protobuf.Root.fromJSON({
  nested: {
    ListOfSpans: { fields: { spans: { rule: 'repeated', type: 'Span', id: 1 } } },
    Span: {
      fields: {
        traceId: { type: 'bytes', id: 1 },
        parentId: { type: 'bytes', id: 2 },
        id: { type: 'bytes', id: 3 },
        kind: { type: 'int32', id: 4 },
        name: { type: 'string', id: 5 },
        timestamp: { type: 'fixed64', id: 6 },
        duration: { type: 'uint64', id: 7 },
        localEndpoint: { type: 'Endpoint', id: 8 },
        remoteEndpoint: { type: 'Endpoint', id: 9 },
        annotations: { rule: 'repeated', type: 'Annotation', id: 10 },
        tags: { keyType: 'string', type: 'string', id: 11 } as protobuf.IMapField,
      },
    },
    Endpoint: {
      fields: {
        serviceName: { type: 'string', id: 1 },
        ipv4: { type: 'bytes', id: 2 },
        port: { type: 'int32', id: 4 },
      },
    },
    Annotation: {
      fields: { timestamp: { type: 'fixed64', id: 1 }, value: { type: 'string', id: 2 } },
    },
  },
}).lookupType('ListOfSpans');

interface WireEndpoint {
  readonly serviceName?: string;
  readonly ipv4?: Uint8Array;
  readonly port?: number;
}

interface WireSpan {
  readonly traceId: Uint8Array;
  readonly parentId: Uint8Array;
  readonly id: Uint8Array;
  readonly kind: number;
  readonly name: string;
  readonly timestamp: number | { toNumber(): number };
  readonly duration: number | { toNumber(): number };
  readonly localEndpoint: WireEndpoint;
  readonly remoteEndpoint: WireEndpoint;
  readonly annotations: readonly { timestamp: number | { toNumber(): number }; value: string }[];
  readonly tags: Record<string, string>;
}

function encodeProto(spans: readonly V2Span[]): Uint8Array {
  const toWire = (endpoint: V2Span['localEndpoint']) => ({
    ...endpoint,
    ipv4: Buffer.from((endpoint?.ipv4 ?? '').split('.').map(Number)),
  });
  const wire = spans.map((one) => ({
    ...one,
    traceId: Buffer.from(one.traceId, 'hex'),
    parentId: Buffer.from(one.parentId ?? '', 'hex'),
    id: Buffer.from(one.id, 'hex'),
    kind: one.kind === 'SERVER' ? 2 : 1,
    localEndpoint: toWire(one.localEndpoint),
    remoteEndpoint: toWire(one.remoteEndpoint),
  }));
  return new Uint8Array(LIST.encode(LIST.fromObject({ spans: wire })).finish());
}

function fromWire(wire: WireSpan): V2Span {
  const hex = (id: Uint8Array): string => Buffer.from(id).toString('hex');
  const endpoint = ({ serviceName, ipv4, port }: WireEndpoint) => ({
    ...(serviceName ? { serviceName } : {}),
    ...(ipv4 === undefined ? {} : { ipv4: ipv4.join('.') }),
    ...(port ? { port } : {}),
  });
  return {
    traceId: hex(wire.traceId),
    parentId: hex(wire.parentId),
    id: hex(wire.id),
    kind: wire.kind === 2 ? 'SERVER' : 'CLIENT',
    name: wire.name,
    timestamp: Number(wire.timestamp),
    duration: Number(wire.duration),
    localEndpoint: endpoint(wire.localEndpoint),
    remoteEndpoint: endpoint(wire.remoteEndpoint),
    annotations: wire.annotations.map(({ timestamp, value }) => ({
      timestamp: Number(timestamp),
      value,
    })),
    tags: wire.tags,
  };
}
