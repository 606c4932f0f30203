import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STRING_VALUE_BYTES_MAX } from '../../../limits.ts';
import {
  arrayValue,
  attribute,
  boolValue,
  bytesValue,
  concat,
  doubleValue,
  field,
  intValue,
  mapValue,
  NOON,
  requestOf,
  requestUnder,
  spanMessage,
  stringValue,
  toBytes,
  varintField,
} from '../testing/wire_bytes.ts';
import { rowsTwin } from '../twin.ts';
import { LIMITS, type Limits } from './limits.ts';
import type { Pair } from './native.ts';
import { cut } from './row.ts';

function rowOf(span: Uint8Array, limits: Partial<Limits> = {}) {
  const record = { tenant: 'acme', bytes: requestOf(span), recordUnixNanos: NOON };
  const { rows, counts } = rowsTwin([record], 3600, { ...LIMITS, ...limits });
  assert.equal(rows.length, 1);
  return { row: rows[0]!, counts };
}

function keysOf(pairs: readonly Pair[]): string[] {
  return pairs.map(([key]) => Buffer.from(key).toString());
}

const attr = (key: string, ...value: Uint8Array[]) => field(9, attribute(key, ...value));

test('attributes go to the map of their type, in order, duplicates and empty keys kept', () => {
  const array = arrayValue(intValue(1n));
  const map = mapValue(attribute('k', stringValue('v')));
  const unknown = field(40, 'of a later version');
  const { row, counts } = rowOf(
    spanMessage(
      ...[attr('s', stringValue('b')), attr('i', intValue(-1n)), attr('s', stringValue('a'))],
      ...[attr('d', doubleValue(0.5)), attr('t', boolValue(77)), attr('f', boolValue(0))],
      ...[attr('array', array), attr('map', map), attr('bytes', bytesValue(toBytes('x')))],
      ...[attr('', stringValue('')), attr('missing'), attr('nothing', new Uint8Array(0))],
      ...[attr('unknown', unknown)],
    ),
  );
  const pair = (key: string, value: Uint8Array | bigint) => [toBytes(key), value];
  assert.deepEqual(row.attr_s, [
    pair('s', toBytes('b')),
    pair('s', toBytes('a')),
    pair('', toBytes('')),
  ]);
  assert.deepEqual(row.attr_i, [pair('i', -1n)]);
  assert.deepEqual(row.attr_d, [pair('d', 0x3fe0_0000_0000_0000n)]);
  assert.deepEqual(row.attr_b, [pair('t', 1n), pair('f', 0n)]);
  assert.deepEqual(row.attr_x, [
    ...[pair('array', array), pair('map', map), pair('bytes', bytesValue(toBytes('x')))],
    ...[pair('missing', toBytes('')), pair('nothing', toBytes('')), pair('unknown', unknown)],
  ]);
  assert.equal(counts.droppedAttributes, 0);
});

test('of two values of one kind of choice the last one sent counts', () => {
  const value = concat(stringValue('text'), intValue(5n), field(40, 'unknown'));
  const { row } = rowOf(spanMessage(attr('k', value)));
  assert.deepEqual(keysOf(row.attr_i), ['k']);
  assert.deepEqual(row.attr_s, []);
});

test('a boolean is true when any of its 64 bits is set', () => {
  const { row } = rowOf(spanMessage(attr('high', boolValue(1n << 63n))));
  assert.deepEqual(row.attr_b, [[toBytes('high'), 1n]]);
});

test('a text is cut before a character that does not fit whole', () => {
  const cases: [string, number, string][] = [
    ['abcd', 4, 'abcd'],
    ['abcd', 3, 'abc'],
    ['abé', 3, 'ab'],
    ['ab結', 4, 'ab'],
    ['ab結', 3, 'ab'],
    ['ab🧭', 5, 'ab'],
    ['ab🧭', 4, 'ab'],
    ['ab🧭', 3, 'ab'],
    ['éé', 2, 'é'],
    ['結結', 3, '結'],
    ['🧭🧭', 4, '🧭'],
  ];
  for (const [text, max, expected] of cases) {
    assert.equal(Buffer.from(cut(toBytes(text), max)).toString(), expected, `${text} ${max}`);
  }
});

test('bytes that are no UTF-8 are cut too, at most three of them before the limit', () => {
  const continuations = new Uint8Array(20).fill(0x80);
  assert.equal(cut(continuations, 10).length, 7);
  assert.equal(cut(continuations, 20).length, 20);
  assert.equal(cut(continuations, 2).length, 0);
  assert.equal(cut(Uint8Array.of(0xff, 0xff, 0xff), 2).length, 2);
});

test('cut strings, names and status messages are counted, those of just the limit are not', () => {
  const max = STRING_VALUE_BYTES_MAX;
  const long = 'é'.repeat(max / 2);
  const whole = rowOf(spanMessage(attr('k', stringValue(long)), field(15, field(2, long))));
  assert.equal(whole.counts.cutValues, 0);
  assert.equal(whole.row.status_message.length, max);

  const over = `x${long}`;
  const attributes = [attr('k', stringValue(over)), attr('k', stringValue(`${over}y`))];
  const { row, counts } = rowOf(
    spanMessage(...attributes, field(15, field(2, over)), field(5, over)),
  );
  assert.equal(counts.cutValues, 4);
  assert.deepEqual(
    row.attr_s.map(([, value]) => (value as Uint8Array).length),
    [max - 1, max - 1],
  );
  assert.equal(row.status_message.length, max - 1);
  assert.equal(row.name.length, 1023);
  assert.equal(counts.droppedAttributes, 0);
});

test('the service is cut to its own limit, uncounted, since the resource is stored whole', () => {
  const resource = field(1, attribute('service.name', stringValue('é'.repeat(200))));
  const bytes = requestUnder(resource, new Uint8Array(0), spanMessage());
  const { rows, counts } = rowsTwin([{ tenant: 't', bytes, recordUnixNanos: NOON }], 3600);
  assert.equal(rows[0]?.service.length, 254);
  assert.equal(counts.cutValues, 0);
});

test('attributes are dropped for long keys, for large complex values and past the most', () => {
  const limits = { KEY_BYTES_MAX: 3, COMPLEX_VALUE_BYTES_MAX: 6, ATTRIBUTES_PER_SPAN_MAX: 4 };
  const { row, counts } = rowOf(
    spanMessage(
      ...[attr('1', intValue(1n)), attr('long', intValue(1n)), attr('key', intValue(1n))],
      ...[attr('x', bytesValue(toBytes('1234'))), attr('y', bytesValue(toBytes('12345')))],
      ...[attr('s', stringValue('strings are cut, not dropped'))],
      ...[attr('5', intValue(1n)), attr('6', stringValue('v'))],
    ),
    limits,
  );
  assert.deepEqual(keysOf(row.attr_i), ['1', 'key']);
  assert.deepEqual(keysOf(row.attr_x), ['x']);
  assert.deepEqual(keysOf(row.attr_s), ['s']);
  assert.equal(counts.droppedAttributes, 4);
  assert.deepEqual(row.rest, varintField(10, 4));
});

test('events and links are dropped when large, and past the most', () => {
  const limits = { EVENT_BYTES_MAX: 8, EVENTS_PER_SPAN_MAX: 2, LINKS_PER_SPAN_MAX: 1 };
  const named = (name: string) => field(11, field(2, name));
  const { row, counts } = rowOf(
    spanMessage(
      ...[named('toolong'), named('a'), named('fits in'), named('maxsix'), named('b')],
      ...[field(13, field(3, 'toolong')), field(13, field(3, 'a')), field(13, field(3, 'b'))],
    ),
    limits,
  );
  const [a, six] = [field(2, 'a'), field(2, 'maxsix')];
  assert.deepEqual(
    row.events,
    concat(Uint8Array.of(a.length), a, Uint8Array.of(six.length), six),
    'the large ones do not take the place of others',
  );
  assert.equal(row.links.length, 1 + field(3, 'a').length);
  assert.equal(row.event_kv.length, 2);
  assert.equal(counts.droppedEvents, 3);
  assert.equal(counts.droppedLinks, 2);
  assert.deepEqual(row.rest, concat(varintField(12, 3), varintField(14, 2)));
});

test('what is dropped is added to the last count that was sent, mod 2^32', () => {
  const limits = { KEY_BYTES_MAX: 1, EVENTS_PER_SPAN_MAX: 0, LINKS_PER_SPAN_MAX: 0 };
  const sent = [
    ...[varintField(14, 1), varintField(10, 9), varintField(10, 2n ** 32n - 1n)],
    ...[varintField(12, 2n ** 40n + 5n)],
  ];
  const lost = [attr('long', intValue(1n)), field(11), field(13), attr('long', intValue(2n))];
  const { row } = rowOf(spanMessage(...lost, ...sent), limits);
  const added = [varintField(10, 1), varintField(12, 6), varintField(14, 2)];
  assert.deepEqual(row.rest, concat(...sent, ...added));
});

test('losses of rejected spans are not counted', () => {
  const lost = spanMessage(field(2, 'bad id'), attr('long key', intValue(1n)), field(5, 'name'));
  const bytes = requestOf(lost);
  const limits = { ...LIMITS, KEY_BYTES_MAX: 1, NAME_BYTES_MAX: 1 };
  const { counts } = rowsTwin([{ tenant: 't', bytes, recordUnixNanos: NOON }], 3600, limits);
  assert.equal(counts.rejected.bad_span_id, 1);
  assert.equal(counts.droppedAttributes, 0);
  assert.equal(counts.cutValues, 0);
});
