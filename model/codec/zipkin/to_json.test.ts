// Spans of other protocols as Zipkin's, by OpenTelemetry's specification. What came as Zipkin is
// tried in round_trip.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attribute, Span, Value } from '../../span.ts';
import { toZipkinSpan } from './to_json.ts';

const NONE = { attributes: [], droppedAttributesCount: 0, schemaUrl: '' };

function attributes(values: Record<string, string | number | bigint | boolean>): Attribute[] {
  return Object.entries(values).map(([key, value]) => {
    const types = { string: 'string', number: 'double', bigint: 'int', boolean: 'bool' } as const;
    return { key, value: { type: types[typeof value as keyof typeof types], value } as Value };
  });
}

function span(parts: Partial<Span> = {}): Span {
  return {
    traceId: '000000000000000000000000000000ab',
    spanId: '00000000000000ab',
    parentSpanId: '',
    name: 'GET /Cart',
    service: 'Shop',
    kind: 2,
    startUnixNanos: 1_795_400_000_000_000_999n,
    durationNanos: 1_999n,
    statusCode: 0,
    statusMessage: '',
    traceState: '',
    flags: 0,
    attributes: [],
    events: [],
    links: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    resource: { ...NONE, attributes: attributes({ 'service.name': 'Shop' }) },
    scope: { ...NONE, name: '', version: '' },
    ...parts,
  };
}

test('times are whole microseconds, and what is empty is left out', () => {
  assert.deepEqual(toZipkinSpan(span()), {
    traceId: '00000000000000ab',
    id: '00000000000000ab',
    kind: 'SERVER',
    name: 'GET /Cart',
    timestamp: 1_795_400_000_000_000,
    duration: 1,
    localEndpoint: { serviceName: 'Shop' },
  });
  assert.equal(toZipkinSpan(span({ kind: 1 })).kind, undefined);
  assert.equal(toZipkinSpan(span({ durationNanos: -5n })).duration, undefined);
});

const tags = (parts: Partial<Span>) => ({ ...toZipkinSpan(span(parts)).tags });

test('attributes of span and resource, the scope and what was lost are tags', () => {
  const resource = {
    ...NONE,
    attributes: attributes({ 'service.name': 'Shop', zone: 'a', n: 1n }),
  };
  const own = attributes({ n: 200n, ok: true, half: 0.5 });
  const scope = { ...NONE, name: 'lib', version: '1.2' };
  const lost = { droppedAttributesCount: 1, droppedEventsCount: 2, droppedLinksCount: 3 };
  assert.deepEqual(tags({ resource, scope, attributes: own, ...lost }), {
    half: '0.5',
    n: '200',
    ok: 'true',
    'otel.dropped_attributes_count': '1',
    'otel.dropped_events_count': '2',
    'otel.dropped_links_count': '3',
    'otel.scope.name': 'lib',
    'otel.scope.version': '1.2',
    zone: 'a',
  });
});

test('an error has its message, and what says that it is none has no tag', () => {
  const ERROR = { 'otel.status_code': 'ERROR' };
  assert.deepEqual(tags({ statusCode: 1 }), { 'otel.status_code': 'OK' });
  assert.deepEqual(tags({ statusCode: 2 }), { ...ERROR, error: '' });
  assert.deepEqual(tags({ statusCode: 2, statusMessage: 'no' }), { ...ERROR, error: 'no' });
  assert.deepEqual(tags({ attributes: attributes({ error: false }) }), {});
  assert.deepEqual(tags({ attributes: attributes({ error: true }) }), { error: 'true' });
  const both = { statusCode: 2 as const, attributes: attributes({ error: 'timeout' }) };
  assert.deepEqual(tags(both), { ...ERROR, error: 'timeout' });
});

test('events have their attributes in their text', () => {
  const event = (name: string, values: Record<string, string>) => ({
    timeUnixNanos: 5_000n,
    name,
    attributes: attributes(values),
    droppedAttributesCount: 0,
  });
  const events = [event('retry', { n: '"1"' }), event('cached', {})];
  assert.deepEqual(toZipkinSpan(span({ events })).annotations, [
    { timestamp: 5, value: '"retry": {"n":"\\"1\\""}' },
    { timestamp: 5, value: 'cached' },
  ]);
});

const remote = (kind: Span['kind'], values: Record<string, string | bigint>) =>
  toZipkinSpan(span({ kind, attributes: attributes(values) })).remoteEndpoint;

test('the remote endpoint follows the ranking of the specification', () => {
  const all = {
    'db.name': 'orders',
    'net.peer.name': 'old.example',
    'server.address': 'db.example',
    'server.port': 5432n,
    'peer.service': 'Database',
  };
  assert.deepEqual(remote(3, all), { serviceName: 'Database', port: 5432 });
  const { 'peer.service': _, ...unnamed } = all;
  assert.deepEqual(remote(4, unnamed), { serviceName: 'db.example', port: 5432 });
  assert.deepEqual(remote(3, { 'db.name': 'orders' }), { serviceName: 'orders' });
  assert.equal(remote(3, {}), undefined);
});

test('an address in numbers is no name, and the name is looked for behind it', () => {
  const address = { 'server.address': '10.0.0.7', 'server.port': 80n };
  assert.deepEqual(remote(3, address), { ipv4: '10.0.0.7', port: 80 });
  const named = { ...address, 'db.namespace': 'orders' };
  assert.deepEqual(remote(3, named), { serviceName: 'orders', ipv4: '10.0.0.7', port: 80 });
  const peer = { 'network.peer.address': '2001:db8::1', 'network.peer.port': 9000n };
  assert.deepEqual(remote(3, { ...peer, 'server.address': 'a.example' }), {
    serviceName: 'a.example',
    ipv6: '2001:db8::1',
    port: 9000,
  });
});

test('what a server says of itself is not whom it spoke to', () => {
  const values = { 'server.address': 'shop.example', 'server.port': 80n, 'db.name': 'x' };
  assert.equal(remote(2, values), undefined);
  assert.equal(remote(1, values), undefined);
  const client = { ...values, 'network.peer.address': '10.1.2.3', 'network.peer.port': 999_999n };
  assert.deepEqual(remote(2, client), { ipv4: '10.1.2.3' });
});
