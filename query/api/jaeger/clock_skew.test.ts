import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '../../../model/span.ts';
import type { AssembledSpan } from '../../../model/trace/assemble.ts';
import { eventOf, NOON, resourceOf, SECOND, spanOf } from '../../testing/spans.ts';
import { ClockSkew } from './clock_skew.ts';

const MS = 1_000_000n;
const id = (n: number): string => n.toString(16).padStart(16, '0');

/** Times in milliseconds after noon. */
function at(n: number, parent: number, host: string, start: bigint, duration: bigint): Span {
  const events = [{ ...eventOf('e'), timeUnixNanos: NOON + start * MS }];
  return spanOf({
    spanId: id(n),
    parentSpanId: parent === 0 ? '' : id(parent),
    startUnixNanos: NOON + start * MS,
    durationNanos: duration * MS,
    events,
    resource: resourceOf('shop', host === '' ? {} : { 'host.name': host }),
  });
}

function adjusted(maxNanos: bigint, spans: readonly Span[]): AssembledSpan[] {
  const skew = new ClockSkew(maxNanos);
  return spans.map((span) => skew.adjust({ span, warnings: ['before'] }));
}

/** Start in milliseconds after noon, and what was said. */
const shown = (list: readonly AssembledSpan[]): [number, ...string[]][] =>
  list.map(({ span, warnings }) => [
    Number((span.startUnixNanos - NOON) / MS),
    ...warnings.slice(1),
  ]);

test('a child of another host is moved into the middle of its parent, its events with it', () => {
  const [, child] = adjusted(SECOND, [at(1, 0, 'a', 0n, 100n), at(2, 1, 'b', -50n, 40n)]);
  assert.deepEqual(shown([child!]), [[30, "This span's timestamps were adjusted by 80ms"]]);
  assert.equal(child?.span.events[0]?.timeUnixNanos, NOON + 30n * MS);
  assert.equal(child?.span.durationNanos, 40n * MS);
});

test('what hangs below it on the same host moves with it; back on the first host it is measured anew', () => {
  const spans = [
    at(1, 0, 'a', 0n, 100n),
    at(2, 1, 'b', -50n, 40n),
    at(3, 2, 'b', -40n, 10n),
    at(4, 3, 'a', 41n, 5n),
    at(5, 1, 'b', 10n, 10n),
  ];
  assert.deepEqual(shown(adjusted(SECOND, spans)), [
    [0],
    [30, "This span's timestamps were adjusted by 80ms"],
    [40, "This span's timestamps were adjusted by 80ms"],
    [41],
    [10],
  ]);
});

test('a child that fits, is of the same host, or is only longer, stays', () => {
  const spans = [
    at(1, 0, 'a', 0n, 100n),
    at(2, 1, 'b', 0n, 100n),
    at(3, 1, 'a', -500n, 10n),
    at(4, 1, 'b', 10n, 200n),
  ];
  assert.deepEqual(shown(adjusted(SECOND, spans)), [[0], [0], [-500], [10]]);
});

test('a child that is longer than its parent is only kept from beginning before it', () => {
  const spans = [at(1, 0, 'a', 0n, 100n), at(2, 1, 'b', -2n, 200n)];
  assert.deepEqual(shown(adjusted(SECOND, spans)).at(-1), [
    0,
    "This span's timestamps were adjusted by 2ms",
  ]);
});

test('hosts that are not known are all taken to differ', () => {
  const spans = [at(1, 0, '', 0n, 100n), at(2, 1, '', -50n, 100n)];
  assert.equal(shown(adjusted(SECOND, spans)).at(-1)?.[0], 0);
});

test('without a limit, or past it, nothing moves, and the warning says what would have', () => {
  const spans = [at(1, 0, 'a', 0n, 100n), at(2, 1, 'b', -1500n, 100n)];
  assert.deepEqual(shown(adjusted(0n, spans)).at(-1), [
    -1500,
    'clock skew adjustment disabled; not applying calculated delta of 1.5s',
  ]);
  assert.deepEqual(shown(adjusted(SECOND, spans)).at(-1), [
    -1500,
    'max clock skew adjustment delta of 1s exceeded; not applying calculated delta of 1.5s',
  ]);
});

test('a span whose parent is missing is told so, and is where its own children are measured from', () => {
  const spans = [at(2, 9, 'b', 0n, 100n), at(3, 2, 'a', 500n, 100n)];
  assert.deepEqual(shown(adjusted(SECOND, spans)), [
    [0, `parent span ID=${id(9)} is not in the trace; skipping clock skew adjustment`],
    [0, "This span's timestamps were adjusted by -500ms"],
  ]);
});

test('the host is host.id, else the first of host.ip, else host.name', () => {
  const of = (n: number, parent: number, attributes: Record<string, unknown>): Span => ({
    ...at(n, parent, '', n === 1 ? 0n : -50n, 50n),
    resource: resourceOf('shop', attributes),
  });
  const same: [Record<string, unknown>, Record<string, unknown>][] = [
    [
      { 'host.id': 'x', 'host.name': 'a' },
      { 'host.id': 'x', 'host.name': 'b' },
    ],
    [{ 'host.ip': ['10.0.0.1', 'b'], 'host.name': 'a' }, { 'host.ip': '10.0.0.1' }],
  ];
  for (const [one, other] of same) {
    assert.equal(shown(adjusted(SECOND, [of(1, 0, one), of(2, 1, other)])).at(-1)?.[0], -50);
  }
  const differ = [of(1, 0, { 'host.id': 'x', 'host.name': 'a' }), of(2, 1, { 'host.name': 'a' })];
  assert.equal(shown(adjusted(SECOND, differ)).at(-1)?.[0], 0);
});
