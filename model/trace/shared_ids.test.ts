import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span, SpanKind } from '../span.ts';
import { assemble, columnsOf } from './assemble.ts';

const id = (n: number): string => n.toString(16).padStart(16, '0');

function spanOf(spanId: number, parent: number, kind: SpanKind): Span {
  const nothing = { attributes: [], droppedAttributesCount: 0, schemaUrl: '' };
  return {
    traceId: 'a'.repeat(32),
    spanId: id(spanId),
    parentSpanId: parent === 0 ? '' : id(parent),
    name: `${spanId} ${kind}`,
    service: 'a',
    kind,
    startUnixNanos: 0n,
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
    resource: nothing,
    scope: { ...nothing, name: '', version: '' },
  };
}

/** In the order of a reader. */
function shape(spans: readonly Span[]): string[] {
  return [...assemble(columnsOf(spans), (row) => spans[row]!)].map(
    (one) => `${one?.span.name}: ${one?.span.spanId} < ${one?.span.parentSpanId}`,
  );
}

test('a server span that shares the id of its client gets one of its own below it', () => {
  const spans = [spanOf(5, 1, 3), spanOf(5, 1, 2), spanOf(6, 5, 1), spanOf(1, 0, 1)];
  assert.deepEqual(shape(spans), [
    `1 1: ${id(1)} < `,
    `5 3: ${id(5)} < ${id(1)}`,
    `5 2: ${id(2)} < ${id(5)}`, // 1 is taken
    `6 1: ${id(6)} < ${id(2)}`,
  ]);
});

test('each shared id gets another new one, and chains of them stay chains', () => {
  const spans = [spanOf(5, 0, 3), spanOf(5, 0, 2), spanOf(6, 5, 3), spanOf(6, 5, 2)];
  assert.deepEqual(shape(spans), [
    `5 3: ${id(5)} < `,
    `5 2: ${id(1)} < ${id(5)}`,
    `6 3: ${id(6)} < ${id(1)}`,
    `6 2: ${id(2)} < ${id(6)}`,
  ]);
});

test('where no client and server share an id, each keeps its own', () => {
  const spans = [spanOf(1, 0, 2), spanOf(1, 0, 2), spanOf(2, 1, 3), spanOf(2, 1, 1)];
  assert.deepEqual(shape(spans), [
    `1 2: ${id(1)} < `,
    `2 1: ${id(2)} < ${id(1)}`,
    `2 3: ${id(2)} < ${id(1)}`,
    `1 2: ${id(1)} < `,
  ]);
});
