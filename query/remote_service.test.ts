// Whom a span spoke to is said twice: by the codec, span by span, and by an expression in ClickHouse,
// which also fills a table. They have to agree.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { ZIPKIN_SCHEMA } from '../model/codec/zipkin/attribute_names.ts';
import { HOST_NAMES } from '../model/codec/zipkin/remote_endpoint.ts';
import { toZipkinSpan } from '../model/codec/zipkin/to_json.ts';
import type { Span, SpanKind } from '../model/span.ts';
import { REMOTE_SERVICE } from '../storage/clickhouse/remote_service.ts';
import { openTestEngine, type TestEngine } from './testing/engine.ts';
import { attributesOf, scopeOf, spanOf } from './testing/spans.ts';

let engine: TestEngine;
before(() => {
  engine = openTestEngine();
});
after(() => engine.close());

const name = fc.constantFrom('', 'db', 'Db.Internal', '10.0.0.1', '1.2.3', '::1', 'a:80', 'é');
const attributes = fc
  .tuple(
    fc.dictionary(fc.constantFrom('peer.service', ...HOST_NAMES), name),
    fc.option(name, { nil: undefined }),
  )
  .map(([values, remote]) =>
    attributesOf({
      ...values,
      ...(remote === undefined
        ? {}
        : { 'zipkin.remote': remote !== '', 'zipkin.remote.service': remote }),
    }),
  );

/** `zipkin.remote` is of spans that came as Zipkin only: a sender of others has no use for it. */
const span = fc
  .record({
    attributes,
    kind: fc.constantFrom<SpanKind>(0, 1, 2, 3, 4, 5),
    isZipkin: fc.boolean(),
  })
  .map(({ attributes: all, kind, isZipkin }): Span => {
    const own = all.filter(({ key }) => isZipkin || !key.startsWith('zipkin.'));
    const scope = { ...scopeOf(''), schemaUrl: isZipkin ? ZIPKIN_SCHEMA : '' };
    return spanOf({ kind, attributes: own, scope });
  });

test('the codec and the expression name the same service', () => {
  const spans = fc.sample(span, 2000);
  engine.insert(spans);
  const rows = engine.query(
    `SELECT span_id, ${REMOTE_SERVICE} AS remote FROM spans FORMAT JSONEachRow`,
  );
  const found = new Map(
    rows
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row) as { span_id: string; remote: string })
      .map(({ span_id, remote }) => [BigInt(span_id), remote]),
  );
  const named = new Set<string>();
  for (const one of spans) {
    const expected = toZipkinSpan(one).remoteEndpoint?.serviceName ?? '';
    assert.equal(found.get(BigInt(`0x${one.spanId}`)), expected, JSON.stringify(one.attributes));
    if (expected !== '') named.add(expected);
  }
  const listed = engine.query('SELECT DISTINCT remote FROM remote_services ORDER BY remote');
  assert.deepEqual(listed.trim().split('\n'), [...named].sort());
  assert.ok(named.size > 3);
});

test('the table is filled by the same expression', () => {
  const folder = new URL('../storage/clickhouse/schema/', import.meta.url);
  const schema = readFileSync(new URL('0004_remote_services.sql', folder), 'utf8');
  const plain = (text: string): string => text.replaceAll(/\s+/g, '');
  assert.ok(plain(schema).includes(plain(REMOTE_SERVICE)));
});
