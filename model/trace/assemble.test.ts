import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '../span.ts';
import { type AssembledSpan, assemble, columnsOf } from './assemble.ts';

const RESOURCE = { attributes: [], droppedAttributesCount: 0, schemaUrl: '' };

/** `start` orders siblings. */
function span(id: string, parent = '', start = 0, parts: Partial<Span> = {}): Span {
  return {
    traceId: '1'.padStart(32, '0'),
    spanId: id,
    parentSpanId: parent,
    name: id,
    service: 's',
    kind: 1,
    startUnixNanos: BigInt(start),
    durationNanos: 1n,
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
    resource: RESOURCE,
    scope: { ...RESOURCE, name: '', version: '' },
    ...parts,
  };
}

function assembled(spans: readonly Span[]): AssembledSpan[] {
  const all = [...assemble(columnsOf(spans), (row) => spans[row]!)];
  return all.filter((one) => one !== undefined);
}

const order = (...spans: Span[]): string =>
  assembled(spans)
    .map((one) => one.span.name)
    .join(' ');
const warnings = (...spans: Span[]): string[] => assembled(spans).flatMap((one) => one.warnings);

test('children come below their parent, each by its start', () => {
  assert.equal(
    order(span('d', 'b', 3), span('c', 'a', 2), span('b', 'a', 1), span('a')),
    'a b d c',
  );
});

test('two roots and a span without its parent are all shown', () => {
  assert.equal(order(span('b', '', 5), span('a', '', 1), span('e', 'dead', 3)), 'a e b');
});

test('a span that is its own parent is shown, with a warning', () => {
  const self = span('a', 'a');
  assert.equal(order(self, span('b', 'a', 1)), 'a b');
  assert.match(warnings(self).join(), /cycle/);
});

test('cycles of two and of a thousand are shown whole, and warned of once', () => {
  assert.equal(order(span('a', 'b'), span('b', 'a', 1), span('c', 'b', 2)), 'a b c');
  const ring = Array.from({ length: 1000 }, (_, i) =>
    span(`${i + 1}`, `${((i + 1) % 1000) + 1}`, i),
  );
  assert.equal(assembled(ring).length, 1000);
  assert.equal(warnings(...ring).length, 1);
});

test('two spans with one id are both shown, and children once', () => {
  const twins = [span('a', '', 0, { name: 'one' }), span('a', '', 1, { name: 'two' })];
  assert.equal(order(...twins, span('b', 'a', 2)), 'one b two');
});

test('a server span that shares the id of its client hangs below it, children below the server', () => {
  const client = span('a', 'f', 1, { kind: 3, name: 'client' });
  const server = span('a', 'f', 2, { kind: 2, name: 'server' });
  assert.equal(order(span('f'), server, client, span('b', 'a', 3)), 'f client server b');
});

test('chains and fans of 100,000 spans are shown whole', () => {
  const chain = Array.from({ length: 100_000 }, (_, i) => span(`${i + 1}`, i === 0 ? '' : `${i}`));
  const fan = Array.from({ length: 100_000 }, (_, i) => span(`${i + 1}`, i === 0 ? '' : '1', i));
  for (const spans of [chain, fan]) assert.equal(assembled(spans).length, 100_000);
});

test('attributes are sorted by key, values of one key stay in order', () => {
  const attribute = (key: string, value: string) => ({
    key,
    value: { type: 'string' as const, value },
  });
  const attributes = [attribute('b', '1'), attribute('a', '2'), attribute('b', '0')];
  const [one] = assembled([span('a', '', 0, { attributes })]);
  assert.deepEqual(
    one?.span.attributes.map(({ key, value }) => [key, 'value' in value && value.value]),
    [
      ['a', '2'],
      ['b', '1'],
      ['b', '0'],
    ],
  );
});

test('links to nothing are taken out, and negative durations and losses are told', () => {
  const link = { traceState: '', attributes: [], droppedAttributesCount: 0, flags: 0 };
  const links = [
    { ...link, traceId: '0'.repeat(32), spanId: '1'.repeat(16) },
    { ...link, traceId: '1'.repeat(32), spanId: '' },
    { ...link, traceId: '1'.repeat(32), spanId: '1'.repeat(16) },
  ];
  const odd = span('a', '', 0, {
    links,
    durationNanos: -1n,
    droppedAttributesCount: 1,
    droppedEventsCount: 2,
    droppedLinksCount: 3,
  });
  assert.equal(assembled([odd])[0]?.span.links.length, 1);
  assert.deepEqual(warnings(odd), [
    'This span ends before it starts; its duration is shown as 0.',
    'Invalid span link removed',
    '1 attribute was dropped before storing.',
    '2 events were dropped before storing.',
    '3 links were dropped before storing.',
  ]);
});
