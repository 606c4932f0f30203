import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xxh64 } from '../../../hash.ts';
import {
  attribute,
  boolValue,
  concat,
  doubleValue,
  field,
  fixed32Field,
  fixed64Field,
  intValue,
  NOON,
  requestOf,
  requestUnder,
  SPAN_ID,
  spanMessage,
  stringValue,
  toBytes,
  varint,
  varintField,
} from '../testing/wire_bytes.ts';
import { rowsTwin, type TwinCounts } from '../twin.ts';
import { LIMITS, type Limits } from './limits.ts';
import type { Row } from './row.ts';

const NONE = new Uint8Array(0);

function rowsOf(bytes: Uint8Array, limits: Partial<Limits> = {}) {
  const record = { tenant: 'acme', bytes, recordUnixNanos: NOON };
  return rowsTwin([record], 3600, { ...LIMITS, ...limits });
}

function rowOf(bytes: Uint8Array, limits: Partial<Limits> = {}): { row: Row; counts: TwinCounts } {
  const { rows, counts } = rowsOf(bytes, limits);
  assert.equal(rows.length, 1);
  return { row: rows[0]!, counts };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

test('ids are read big endian, times as they are', () => {
  const end = fixed64Field(8, NOON + 1500n);
  const parent = field(4, Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2));
  const flags = fixed32Field(16, 0x8000_0301);
  const { row } = rowOf(requestOf(spanMessage(end, parent, flags)));
  assert.equal(text(row.tenant), 'acme');
  assert.equal(row.trace_hi, 0x0102030405060708n);
  assert.equal(row.trace_lo, 0x090a0b0c0d0e0f10n);
  assert.equal(row.span_id, 0xa0a1a2a3a4a5a6a7n);
  assert.equal(row.parent_id, 0x102n);
  assert.equal(row.ts, NOON);
  assert.equal(row.duration, 1500n);
  assert.equal(row.flags, 0x8000_0301n);
});

test('an end before its start makes a duration that wraps to a negative Int64', () => {
  const { row } = rowOf(requestOf(spanMessage(fixed64Field(8, NOON - 1n))));
  assert.equal(row.duration, 2n ** 64n - 1n);
  assert.equal(BigInt.asIntN(64, row.duration), -1n);
});

test('a span without name, kind, status, parent and end has empty and zero cells', () => {
  const { row } = rowOf(requestOf(spanMessage()));
  assert.equal(row.name.length, 0);
  assert.equal(row.parent_id, 0n);
  assert.equal(row.kind, 0n);
  assert.equal(row.status, 0n);
  assert.equal(BigInt.asIntN(64, row.duration), -NOON);
  assert.equal(row.rest.length, 0);
});

test('kinds above 5 and status codes above 2 are 0, also where 32 bits of them would do', () => {
  for (const [sent, kind, status] of [
    [2n, 2n, 2n],
    [3n, 3n, 0n],
    [5n, 5n, 0n],
    [6n, 0n, 0n],
    [2n ** 32n + 2n, 0n, 0n],
    [2n ** 64n - 1n, 0n, 0n],
  ] as const) {
    const span = spanMessage(varintField(6, sent), field(15, varintField(3, sent)));
    const { row } = rowOf(requestOf(span));
    assert.deepEqual([row.kind, row.status], [kind, status], String(sent));
  }
});

test('hashes chain schema URL, resource, scope and span bytes', () => {
  const resource = field(1, attribute('r', stringValue('1')));
  const scope = field(1, 'library');
  const span = spanMessage(field(5, 'GET /'));
  const url = 'https://example.com/schema';
  const inner = concat(field(1, scope), field(2, span), field(3, 'scope url'));
  const { row } = rowOf(field(1, field(1, resource), field(2, inner), field(3, url)));
  assert.equal(row.resource_id, xxh64(resource, xxh64(toBytes(url), 0n)));
  assert.equal(row.scope_id, xxh64(scope, xxh64(toBytes('scope url'), 0n)));
  const rotated = BigInt.asUintN(64, row.scope_id << 32n) | (row.scope_id >> 32n);
  assert.equal(row.h, xxh64(span, row.resource_id ^ rotated) & 0xffff_ffffn);
});

test('a missing resource and an empty one are the same', () => {
  const without = rowOf(requestOf(spanMessage())).row;
  const empty = rowOf(requestUnder(NONE, NONE, spanMessage())).row;
  assert.deepEqual(without, empty);
});

test('the service is the last service.name, if that is a string with something in it', () => {
  const named = (...values: Uint8Array[]) =>
    concat(...values.map((value) => field(1, attribute('service.name', value))));
  const cases: [Uint8Array, string][] = [
    [named(stringValue('shop')), 'shop'],
    [named(stringValue('shop'), stringValue('cart')), 'cart'],
    [named(stringValue('shop'), intValue(3n)), 'unknown_service'],
    [named(intValue(3n), stringValue('shop')), 'shop'],
    [named(stringValue('')), 'unknown_service'],
    [named(stringValue('shop'), stringValue('')), 'unknown_service'],
    [field(1, attribute('service.name')), 'unknown_service'],
    [field(1, attribute('service.namespace', stringValue('shop'))), 'unknown_service'],
    [NONE, 'unknown_service'],
  ];
  for (const [resource, service] of cases) {
    const { row } = rowOf(requestUnder(resource, NONE, spanMessage()));
    assert.equal(text(row.service), service);
  }
});

test('trace state, sent counts and unknown fields rest as they came, in their order', () => {
  const oddTag = concat(varint(1000n << 3n, 4), varint(5, 3));
  const rest = [varintField(12, 3), field(3, 'a=b'), oddTag, varintField(10, 1), field(77, 'x')];
  const spread = rest.flatMap((part) => [part, field(5, 'name')]);
  const { row } = rowOf(requestOf(spanMessage(...spread)));
  assert.deepEqual(row.rest, concat(...rest));
});

test('events and links are kept as they came, behind minimal lengths', () => {
  const event = concat(fixed64Field(1, 5n), field(2, 'x'.repeat(200)), field(99, 'unknown'));
  const padded = concat(Uint8Array.of(0x5a), varint(event.length, 4), event);
  const link = concat(field(1, SPAN_ID), varintField(5, 2));
  const { row } = rowOf(requestOf(spanMessage(padded, field(11), field(13, link))));
  assert.deepEqual(row.events, concat(varint(event.length), event, Uint8Array.of(0)));
  assert.deepEqual(row.links, concat(varint(link.length), link));
});

function kv(key: string, value: string): bigint {
  return xxh64(toBytes(value), xxh64(toBytes(key), 0n));
}

test('event_kv has the names and plain attributes of events, then those of links', () => {
  const attributes = (at: number) => [
    field(at, attribute('s', stringValue('text'))),
    field(at, attribute('i', intValue(-7n))),
    field(at, attribute('t', boolValue(300))),
    field(at, attribute('f', boolValue(0))),
    field(at, attribute('d', doubleValue(1.5))),
    field(at, attribute('none')),
    field(at, attribute('empty', stringValue(''))),
  ];
  const plain = [kv('s', 'text'), kv('i', '-7'), kv('t', 'true'), kv('f', 'false')];
  const both = [...plain, kv('empty', '')];
  const event = field(11, ...attributes(3), field(2, 'exception'));
  const link = field(13, ...attributes(4));
  const { row } = rowOf(requestOf(spanMessage(link, event, field(11))));
  assert.deepEqual(row.event_kv, [kv('event', 'exception'), ...both, ...both]);
});

test('a searchable resource attribute is text; maps, arrays, bytes and nothing are left out', () => {
  const resource = concat(
    field(1, attribute('s', stringValue('text'))),
    field(1, attribute('i', intValue(-(2n ** 63n)))),
    field(1, attribute('b', boolValue(1))),
    field(1, attribute('x', field(7, 'bytes'))),
    field(1, attribute('none')),
    ...[1e21, -0, Number.NaN, 0.1, 1e-7, Number.NEGATIVE_INFINITY].map((number) =>
      field(1, attribute('d', doubleValue(number))),
    ),
  );
  const { row } = rowOf(requestUnder(resource, NONE, spanMessage()));
  assert.deepEqual(
    row.resource.attributes.map(([key, value]) => `${text(key)}=${text(value as Uint8Array)}`),
    [
      ...['s=text', 'i=-9223372036854775808', 'b=true', 'd=1e+21', 'd=0', 'd=NaN', 'd=0.1'],
      ...['d=1e-7', 'd=-Infinity'],
    ],
  );
});

test('scope attributes begin with its name and version, which do not count', () => {
  const attributes = ['a', 'b', 'c'].map((key) => field(3, attribute(key, stringValue(key))));
  const scope = concat(...attributes, field(2, '1.2'), field(1, 'library'));
  const limits = { RESOURCE_ATTRIBUTES_MAX: 2 };
  const { row, counts } = rowOf(requestUnder(NONE, scope, spanMessage()), limits);
  assert.deepEqual(
    row.scope.attributes.map(([key, value]) => `${text(key)}=${text(value as Uint8Array)}`),
    ['otel.scope.name=library', 'otel.scope.version=1.2', 'a=a', 'b=b'],
  );
  assert.deepEqual(row.scope.message, scope, 'all of them are stored');
  assert.equal(counts.droppedAttributes, 0);
  const unnamed = rowOf(requestUnder(NONE, field(1), spanMessage())).row;
  assert.deepEqual(unnamed.scope.attributes, []);
});

test('a resource key that is too long is left out before the others are counted', () => {
  const keys = ['long', 'a', 'longer', 'b', 'c'];
  const resource = concat(...keys.map((key) => field(1, attribute(key, stringValue('v')))));
  const limits = { RESOURCE_ATTRIBUTES_MAX: 2, KEY_BYTES_MAX: 3 };
  const { row } = rowOf(requestUnder(resource, NONE, spanMessage()), limits);
  assert.deepEqual(
    row.resource.attributes.map(([key]) => text(key)),
    ['a', 'b'],
  );
});
