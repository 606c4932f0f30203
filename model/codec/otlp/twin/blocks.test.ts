import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNative } from '../testing/read_native.ts';
import {
  attribute,
  concat,
  field,
  fixed64Field,
  NOON,
  requestOf,
  requestUnder,
  spanMessage,
  stringValue,
} from '../testing/wire_bytes.ts';
import { transcodeTwin } from '../twin.ts';

const MAX_AGE_SECONDS = 30 * 86_400;
const MINUTE = 60n * 1_000_000_000n;
const NONE = new Uint8Array(0);

interface Options {
  readonly blockRowsMax?: number;
  readonly limits?: { readonly DICTIONARY_ENTRIES_MAX: number };
}

type Input = Uint8Array | { tenant: string; bytes: Uint8Array };

/** The blocks' columns by name, cells as text and bigint. */
function blocksOf(inputs: readonly Input[], options: Options = {}) {
  const records = inputs.map((input) => ({
    ...(input instanceof Uint8Array ? { tenant: 't', bytes: input } : input),
    recordUnixNanos: NOON,
  }));
  const { blocks } = transcodeTwin(records, { maxAgeSeconds: MAX_AGE_SECONDS, ...options });
  return blocks.map((block) => {
    const columns = readNative(block.native);
    assert.equal(columns.get('tenant')?.cells.length, block.rows);
    return (name: string) => columns.get(name)?.cells ?? [];
  });
}

function named(name: string, at = NOON, ...more: readonly Uint8Array[]): Uint8Array {
  return spanMessage(field(5, name), fixed64Field(7, at), ...more);
}

function traceId(hi: number, lo: number): Uint8Array {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(hi, 4);
  id.writeUInt32BE(lo, 12);
  return field(1, id);
}

function spanId(id: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(id);
  return field(2, bytes);
}

test('no spans make no block', () => {
  assert.deepEqual(blocksOf([]), []);
  assert.deepEqual(blocksOf([NONE, requestOf()]), []);
});

test('columns are those of spans_in, in its order', () => {
  const { blocks } = transcodeTwin(
    [{ tenant: 't', bytes: requestOf(spanMessage()), recordUnixNanos: NOON }],
    { maxAgeSeconds: MAX_AGE_SECONDS },
  );
  const columns = [...readNative(blocks[0]?.native ?? NONE)];
  assert.equal(columns.length, 31);
  assert.deepEqual(columns[0], ['tenant', { type: 'LowCardinality(String)', cells: ['t'] }]);
  assert.equal(columns[6]?.[1].type, "DateTime64(9, 'UTC')");
  assert.equal(columns.at(-1)?.[0], 'scope_attrs');
});

test('rows are in the order of tenant, five minutes, trace low, trace high, start, span id', () => {
  const start = NOON - (NOON % (5n * MINUTE));
  const order = [
    named('1', start - 1n, traceId(9, 9)),
    named('2', start + 9n, traceId(9, 1)),
    named('3', start + 8n, traceId(1, 2)),
    named('4', start + 5n, traceId(2, 2), spanId(9n)),
    named('5', start + 6n, traceId(2, 2), spanId(3n)),
    named('6', start + 6n, traceId(2, 2), spanId(2n ** 63n + 1n)),
    named('7', start + 5n * MINUTE, traceId(0, 1)),
  ];
  const reversed = requestOf(...order.toReversed());
  const [block] = blocksOf([
    { tenant: 'ž', bytes: requestOf(named('9')) },
    { tenant: 'b', bytes: reversed },
    { tenant: 'a', bytes: requestOf(named('0')) },
    { tenant: 'c', bytes: requestOf(named('8')) },
  ]);
  assert.deepEqual(block?.('name'), [...'0123456789']);
});

test('rows that are equal in all of that stay in the order of the input', () => {
  const bytes = requestOf(named('first'), named('second'));
  const [block] = blocksOf([bytes, requestOf(named('third')), bytes]);
  assert.deepEqual(block?.('name'), ['first', 'second', 'third', 'first', 'second']);
});

test('rows are cut into blocks of the most rows, the last one shorter', () => {
  const spans = Array.from({ length: 7 }, (_, i) => named(`${i}`, NOON + BigInt(i)));
  const blocks = blocksOf([requestOf(...spans)], { blockRowsMax: 3 });
  assert.deepEqual(
    blocks.map((block) => block('name')),
    [['0', '1', '2'], ['3', '4', '5'], ['6']],
  );
});

const RESOURCE = field(1, attribute('service.name', stringValue('shop')));
const SCOPE = field(1, 'library');

test('a resource and scope are written once a tenant, day and block', () => {
  const midnight = NOON + 720n * MINUTE;
  const spans = [NOON, NOON + 1n, midnight - 1n, midnight, midnight + 1n].map((at) =>
    named(`${at}`, at),
  );
  const bytes = requestUnder(RESOURCE, SCOPE, ...spans);
  const inputs = ['a', 'b'].map((tenant) => ({ tenant, bytes }));
  const once = [true, false, false, true, false];
  const [block] = blocksOf(inputs);
  for (const column of ['resource', 'scope', 'resource_attrs', 'scope_attrs']) {
    const written = block?.(column).map((cell) => (cell as string | unknown[]).length > 0);
    assert.deepEqual(written, [...once, ...once], column);
  }
  const cut = blocksOf([bytes], { blockRowsMax: 2 });
  assert.deepEqual(
    cut.map((inner) => inner('resource').map((cell) => cell !== '')),
    [[true, false], [true, true], [true]],
  );
});

test('schema URLs stand beside their messages, and other URLs make another resource', () => {
  const under = (url: string, at: bigint) => {
    const inner = concat(field(1, SCOPE), field(2, named('n', at)), field(3, `scope ${url}`));
    return field(1, field(1, RESOURCE), field(2, inner), field(3, url));
  };
  const bytes = concat(under('1', NOON), under('2', NOON + 1n), under('1', NOON + 2n));
  const [block] = blocksOf([bytes]);
  assert.deepEqual(block?.('resource_schema_url'), ['1', '2', '']);
  assert.deepEqual(block?.('scope_schema_url'), ['scope 1', 'scope 2', '']);
  assert.equal(new Set(block?.('resource_id')).size, 2);
});

test('a row that would overfill a dictionary begins a new block', () => {
  const keyed = (at: number, ...keys: string[]) =>
    named('n', NOON + BigInt(at), ...keys.map((key) => field(9, attribute(key, stringValue('v')))));
  const bytes = requestOf(
    ...[keyed(1, 'a', 'b'), keyed(2, 'b', 'c'), keyed(3, 'a'), keyed(4, 'd'), keyed(5, 'a')],
  );
  const keys = (entries: number) =>
    blocksOf([bytes], { limits: { DICTIONARY_ENTRIES_MAX: entries } }).map((block) =>
      block('attr_s').map((pairs) => (pairs as [string, string][]).map(([key]) => key).join('')),
    );
  // '' is an entry too.
  assert.deepEqual(keys(5), [['ab', 'bc', 'a', 'd', 'a']]);
  assert.deepEqual(keys(4), [
    ['ab', 'bc', 'a'],
    ['d', 'a'],
  ]);
  assert.deepEqual(keys(3), [['ab'], ['bc'], ['a', 'd', 'a']]);
  assert.deepEqual(keys(1).length, 5, 'a block takes one row, whatever it holds');
});
