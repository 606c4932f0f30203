// Batches as Jaeger's clients send them: ten tags and a log a span, five spans a datagram.

import type { PlainBatch, PlainTag } from '../../model/codec/jaeger/testing/jaeger_span.ts';

export const SPANS_PER_DATAGRAM = 5;

const TAGS: readonly PlainTag[] = [
  { key: 'span.kind', value: ['string', 'server'] },
  { key: 'http.method', value: ['string', 'GET'] },
  { key: 'http.url', value: ['string', 'http://checkout.shop.example/cart/8f14e45f?currency=EUR'] },
  { key: 'http.status_code', value: ['int', 200n] },
  { key: 'component', value: ['string', 'net/http'] },
  { key: 'peer.service', value: ['string', 'payment'] },
  { key: 'sampler.type', value: ['string', 'const'] },
  { key: 'sampler.param', value: ['bool', true] },
  { key: 'cart.total', value: ['double', 129.95] },
  { key: 'internal.span.format', value: ['string', 'proto'] },
];

export function makeBatch(spans: number, seed: number): PlainBatch {
  const id = (n: number) => ((BigInt(n + 1) * 0x9e3779b97f4a7c15n) % 2n ** 64n).toString(16);
  const traceId = `${id(seed)}${id(seed + 7)}`.padStart(32, '1').slice(-32);
  return {
    service: 'checkout',
    processTags: [
      { key: 'hostname', value: ['string', 'checkout-7d9f8b6c5-x2x4z'] },
      { key: 'ip', value: ['string', '10.12.7.201'] },
      { key: 'jaeger.version', value: ['string', 'Go-2.30.0'] },
    ],
    spans: Array.from({ length: spans }, (_, i) => ({
      traceId,
      spanId: id(seed * 1000 + i).padStart(16, '1'),
      parentId: id(seed * 1000).padStart(16, '1'),
      name: 'HTTP GET /cart',
      references: [],
      flags: 1,
      startMicros: BigInt(Date.now()) * 1000n + BigInt(i),
      durationMicros: 1234n,
      tags: TAGS,
      logs: [
        {
          micros: BigInt(Date.now()) * 1000n,
          fields: [
            { key: 'event', value: ['string', 'cache miss'] },
            { key: 'attempt', value: ['int', 2n] },
          ],
        },
      ],
    })),
  };
}
