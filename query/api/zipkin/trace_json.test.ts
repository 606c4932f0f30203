import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V2Span } from '../../../model/codec/zipkin/v1_span.ts';
import type { FoundTrace } from '../../get.ts';
import { traceKeyOf } from '../../get.ts';
import { attributesOf, spanOf, traceId } from '../../testing/spans.ts';
import { spanList, traceList } from './trace_json.ts';

async function* traces(...all: readonly (readonly [n: number, spans: number])[]) {
  for (const [n, count] of all) {
    const attributes = attributesOf({ text: 'x'.repeat(1000) });
    const spans = Array.from({ length: count }, () => spanOf({ traceId: traceId(n), attributes }));
    yield { traceId: traceId(n), spans, cut: false } as FoundTrace;
  }
}

const keyOf = (n: number) => traceKeyOf(traceId(n))!;

async function piecesOf(pieces: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

const idsOf = (text: string) =>
  (JSON.parse(text) as V2Span[][]).map((spans) => spans.map((span) => span.traceId));

test('a large trace goes out in pieces of some 64 KiB', async () => {
  const pieces = await piecesOf(spanList(traces([1, 1000])));
  assert.ok(pieces.length > 15, `${pieces.length}`);
  for (const piece of pieces) assert.ok(piece.length < 70_000, `${piece.length}`);
  assert.equal((JSON.parse(pieces.join('')) as V2Span[]).length, 1000);
});

test('each trace is a list, and none is a list of none', async () => {
  const groups = [[keyOf(1)], [keyOf(2)], [keyOf(3)]];
  const text = (await piecesOf(traceList(traces([1, 2], [3, 1]), groups))).join('');
  assert.deepEqual(idsOf(text), [[traceId(1), traceId(1)], [traceId(3)]]);
  assert.equal((await piecesOf(traceList(traces(), []))).join(''), '[]');
  assert.equal((await piecesOf(spanList(traces()))).join(''), '[]');
});

test('ids of one group stand in one list', async () => {
  const groups = [[keyOf(1), keyOf(2)], [keyOf(3)]];
  const text = (await piecesOf(traceList(traces([1, 1], [2, 1], [3, 1]), groups))).join('');
  assert.deepEqual(idsOf(text), [[traceId(1), traceId(2)], [traceId(3)]]);
});
