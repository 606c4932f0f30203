import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  arrayValue,
  attribute,
  bytesValue,
  concat,
  field,
  fixed32Field,
  fixed64Field,
  mapValue,
  NOON,
  requestOf,
  requestUnder,
  spanMessage,
  stringValue,
  tag,
  varint,
  varintField,
} from '../testing/wire_bytes.ts';
import { checkTwin, rowsTwin } from '../twin.ts';

const OPTIONS = { recordUnixNanos: NOON, maxAgeSeconds: 3600 };

function accepted(bytes: Uint8Array): boolean {
  return checkTwin(bytes, OPTIONS).ok;
}

function spansOf(bytes: Uint8Array): number {
  const result = checkTwin(bytes, OPTIONS);
  assert.ok(result.ok);
  return result.spans;
}

function rowOf(bytes: Uint8Array) {
  const { rows } = rowsTwin([{ tenant: 't', bytes, recordUnixNanos: NOON }], 3600);
  return rows[0];
}

test('an empty request is well formed and holds nothing', () => {
  assert.equal(spansOf(new Uint8Array(0)), 0);
});

test('a plain span is kept', () => {
  assert.equal(spansOf(requestOf(spanMessage())), 1);
});

test('field number 0 is malformed, with any wire type', () => {
  for (const wire of [0, 1, 2, 5]) {
    const bytes = concat(requestOf(spanMessage()), tag(0, wire), new Uint8Array(8));
    assert.equal(accepted(bytes), false, `wire type ${wire}`);
  }
});

test('wire types 3, 4, 6 and 7 are malformed on unknown fields, the others are skipped', () => {
  const contents: Record<number, Uint8Array> = {
    0: varint(2n ** 64n - 1n),
    1: new Uint8Array(8),
    2: field(1, 'x').subarray(1),
    3: new Uint8Array(0),
    4: new Uint8Array(0),
    5: new Uint8Array(4),
    6: new Uint8Array(8),
    7: new Uint8Array(8),
  };
  for (let wire = 0; wire < 8; wire++) {
    const unknown = concat(tag(1000, wire), contents[wire] ?? new Uint8Array(0));
    const expected = [0, 1, 2, 5].includes(wire);
    assert.equal(accepted(unknown), expected, `request, wire type ${wire}`);
    assert.equal(accepted(requestOf(spanMessage(unknown))), expected, `span, wire type ${wire}`);
  }
});

/** Known fields with their wire type, and how a request carries the message that they belong to. */
const KNOWN: readonly [string, (fields: Uint8Array) => Uint8Array, Record<number, number>][] = [
  ['request', (fields) => fields, { 1: 2 }],
  ['resource spans', (fields) => field(1, fields), { 1: 2, 2: 2, 3: 2 }],
  ['resource', (fields) => requestUnder(fields, new Uint8Array(0)), { 1: 2, 2: 0, 3: 2 }],
  ['scope spans', (fields) => field(1, field(2, fields)), { 1: 2, 2: 2, 3: 2 }],
  ['scope', (fields) => requestUnder(new Uint8Array(0), fields), { 1: 2, 2: 2, 3: 2, 4: 0 }],
  [
    'span',
    (fields) => requestOf(fields),
    {
      ...{ 1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 0, 7: 1, 8: 1 },
      ...{ 9: 2, 10: 0, 11: 2, 12: 0, 13: 2, 14: 0, 15: 2, 16: 5 },
    },
  ],
  ['event', (fields) => requestOf(field(11, fields)), { 1: 1, 2: 2, 3: 2, 4: 0 }],
  ['link', (fields) => requestOf(field(13, fields)), { 1: 2, 2: 2, 3: 2, 4: 2, 5: 0, 6: 5 }],
  ['status', (fields) => requestOf(field(15, fields)), { 2: 2, 3: 0 }],
  ['attribute', (fields) => requestOf(field(9, fields)), { 1: 2, 2: 2 }],
  [
    'value',
    (fields) => requestOf(field(9, field(2, fields))),
    { 1: 2, 2: 0, 3: 0, 4: 1, 5: 2, 6: 2, 7: 2 },
  ],
  ['array', (fields) => requestOf(field(9, field(2, field(5, fields)))), { 1: 2 }],
  ['map', (fields) => requestOf(field(9, field(2, field(6, fields)))), { 1: 2 }],
];

for (const [name, wrap, types] of KNOWN) {
  test(`each known field of a ${name} takes its own wire type only`, () => {
    const none = new Uint8Array(0);
    const contents = [
      varint(1),
      new Uint8Array(8),
      Uint8Array.of(0),
      none,
      none,
      new Uint8Array(4),
    ];
    for (const [number, type] of Object.entries(types)) {
      for (const wire of [0, 1, 2, 5]) {
        const bytes = wrap(concat(tag(Number(number), wire), contents[wire]!));
        assert.equal(accepted(bytes), wire === type, `field ${number}, wire type ${wire}`);
      }
    }
  });
}

test('a request that ends in the middle of a field is malformed', () => {
  const unknown = [varintField(99, 1n << 40n), fixed64Field(98, 1n), fixed32Field(97, 1)];
  const attributes = [
    field(9, attribute('k', mapValue(attribute('m', arrayValue(stringValue('v')))))),
    field(9, attribute('b', bytesValue(Uint8Array.of(1, 2)))),
  ];
  const note = field(3, attribute('k', stringValue('v')));
  const span = spanMessage(...unknown, ...attributes, field(11, note));
  const bytes = requestUnder(field(1, attribute('r', stringValue('v'))), field(1, 's'), span);
  assert.equal(spansOf(bytes), 1);
  // The request is one field, so that no prefix but the empty one ends between two fields.
  for (let length = 1; length < bytes.length; length++) {
    assert.equal(accepted(bytes.subarray(0, length)), false, `${length} bytes`);
  }
});

test('a message that ends in the middle of a field is malformed though the request goes on', () => {
  const span = spanMessage(field(5, 'name'));
  for (let length = 1; length <= 5; length++) {
    const shorter = span.subarray(0, span.length - length);
    assert.equal(accepted(concat(requestOf(shorter), requestOf(span))), false, `${length} less`);
  }
});

test('a length that reaches over its message is malformed though the request has the bytes', () => {
  const inner = concat(tag(5, 2), varint(5), new Uint8Array(4));
  assert.equal(accepted(requestOf(inner, spanMessage())), false);
});

test('a varint may have ten bytes and not eleven', () => {
  for (const [length, ok] of [
    [1, true],
    [9, true],
    [10, true],
    [11, false],
  ] as const) {
    const kind = concat(tag(6, 0), varint(1, length));
    assert.equal(accepted(requestOf(spanMessage(kind))), ok, `known, ${length} bytes`);
    const unknown = concat(tag(77, 0), varint(1, length));
    assert.equal(accepted(requestOf(spanMessage(unknown))), ok, `unknown, ${length} bytes`);
  }
});

test('bits of a varint above 64 are dropped', () => {
  const tooWide = varint((1n << 65n) + 3n);
  assert.equal(tooWide.length, 10);
  assert.equal(rowOf(requestOf(spanMessage(tag(6, 0), tooWide)))?.kind, 3n);
});

test('a tag may have five bytes, if they stay below 2^32', () => {
  const padded = (length: number) => concat(varint(6n << 3n, length), varint(1));
  assert.equal(accepted(requestOf(spanMessage(padded(5)))), true);
  assert.equal(accepted(requestOf(spanMessage(padded(6)))), false);
  const largest = (2n ** 29n - 1n) << 3n;
  assert.equal(accepted(requestOf(spanMessage(varint(largest), varint(1)))), true);
  assert.equal(accepted(requestOf(spanMessage(varint(2n ** 32n + 48n), varint(1)))), false);
});

test('a length may have five bytes, and must fit whatever it says', () => {
  const padded = (length: number) => concat(tag(5, 2), varint(1, length), Uint8Array.of(0x41));
  assert.equal(accepted(requestOf(spanMessage(padded(5)))), true);
  assert.equal(accepted(requestOf(spanMessage(padded(6)))), false);
  for (const length of [2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 35n - 1n]) {
    const bytes = requestOf(spanMessage(tag(5, 2), varint(length), Uint8Array.of(0x41)));
    assert.equal(accepted(bytes), false, String(length));
  }
});

function nested(depth: number, wrap: (value: Uint8Array) => Uint8Array): Uint8Array {
  let value = stringValue('deepest');
  for (let level = 1; level < depth; level++) value = wrap(value);
  return attribute('k', value);
}

test('values may be nested 49 deep and not 50, wherever they stand', () => {
  const none = new Uint8Array(0);
  const places: Record<string, (inner: Uint8Array) => Uint8Array> = {
    resource: (inner) => requestUnder(field(1, inner), none, spanMessage()),
    scope: (inner) => requestUnder(none, field(3, inner), spanMessage()),
    span: (inner) => requestOf(spanMessage(field(9, inner))),
    event: (inner) => requestOf(spanMessage(field(11, field(3, inner)))),
    link: (inner) => requestOf(spanMessage(field(13, field(4, inner)))),
  };
  const inMap = (value: Uint8Array) => mapValue(attribute('m', value));
  const inBoth = (value: Uint8Array) => arrayValue(mapValue(attribute('m', value)));
  for (const [place, put] of Object.entries(places)) {
    for (const wrap of [arrayValue, inMap]) {
      assert.equal(accepted(put(nested(49, wrap))), true, place);
      assert.equal(accepted(put(nested(50, wrap))), false, place);
    }
    assert.equal(accepted(put(nested(25, inBoth))), true, place);
    assert.equal(accepted(put(nested(26, inBoth))), false, place);
  }
});

test('an empty value counts for the depth, an entry without a value does not', () => {
  let value: Uint8Array = new Uint8Array(0);
  for (let level = 1; level < 49; level++) value = arrayValue(value);
  assert.equal(accepted(requestOf(spanMessage(field(9, attribute('k', value))))), true);
  const deeper = attribute('k', arrayValue(value));
  assert.equal(accepted(requestOf(spanMessage(field(9, deeper)))), false);

  let map: Uint8Array = mapValue(field(1, 'key without a value'));
  for (let level = 1; level < 49; level++) map = arrayValue(map);
  assert.equal(accepted(requestOf(spanMessage(field(9, attribute('k', map))))), true);
});

test('strings and bytes are not looked into, nor need they be UTF-8', () => {
  const rubbish = Uint8Array.of(0xff, 0xc0, 0x80, 0x07);
  const attributes = [
    field(9, attribute('k', stringValue(rubbish))),
    field(9, attribute('k', bytesValue(rubbish))),
  ];
  const bytes = requestOf(spanMessage(field(5, rubbish), field(3, rubbish), ...attributes));
  assert.deepEqual(rowOf(bytes)?.name, rubbish);
});

test('what does not count is checked all the same', () => {
  const broken = Uint8Array.of(0x07);
  const good = spanMessage();
  const places: Record<string, Uint8Array> = {
    'an earlier resource': field(1, field(1, broken), field(1), field(2, field(2, good))),
    'an earlier scope': field(1, field(2, field(1, broken), field(1), field(2, good))),
    'an earlier status': requestOf(spanMessage(field(15, broken), field(15))),
    'an earlier value': requestOf(spanMessage(field(9, field(2, broken), field(2)))),
    'an earlier array': requestOf(
      spanMessage(field(9, attribute('k', field(5, broken), stringValue('v')))),
    ),
    'a rejected span': requestOf(concat(field(1, 'bad id'), field(9, broken))),
    'a resource without spans': field(1, field(1, field(1, broken))),
  };
  for (const [place, bytes] of Object.entries(places)) {
    assert.equal(accepted(bytes), false, place);
  }
});

test('entity references are skipped unread', () => {
  const resource = concat(field(3, Uint8Array.of(0x07, 0xff)), varintField(2, 3));
  assert.equal(spansOf(requestUnder(resource, new Uint8Array(0), spanMessage())), 1);
});

test('of a singular field sent twice the last one counts', () => {
  const twice = spanMessage(
    ...[field(5, 'first'), field(5, 'last'), varintField(6, 2), varintField(6, 3)],
    ...[field(15, field(2, 'm'), varintField(3, 2)), field(15, varintField(3, 1))],
  );
  const row = rowOf(requestOf(twice));
  assert.equal(Buffer.from(row?.name ?? []).toString(), 'last');
  assert.equal(row?.kind, 3n);
  assert.equal(row?.status, 1n);
  assert.equal(row?.status_message.length, 0, 'messages are not merged');
});

test('a malformed request is answered with a sentence', () => {
  const result = checkTwin(Uint8Array.of(0x08, 0x01), OPTIONS);
  assert.ok(!result.ok);
  assert.equal(result.message, 'Expected wire type 2 for protobuf field 1; 0 came.');
});
