import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RefusalError } from '../service/refusal.ts';
import { AnswerMemory } from './answer_memory.ts';
import { getTraces, traceKeyOf } from './get.ts';
import { openTestEngine, type TestEngine } from './testing/engine.ts';
import { spanOf, traceId } from './testing/spans.ts';

let engine: TestEngine;
before(() => {
  engine = openTestEngine();
});
after(() => engine.close());

const isBusy = (error: unknown): boolean =>
  error instanceof RefusalError && error.refusal.code === 'busy';

test('what one answer holds is no room for another, until it is freed', () => {
  const memory = new AnswerMemory(8000);
  const [one, two] = [memory.hold(), memory.hold()];
  one.add(900);
  assert.equal(memory.bytes, 7200);
  assert.throws(() => two.add(101), isBusy);
  two.add(100);
  one.free();
  one.free();
  assert.equal(memory.bytes, 800);
  two.free();
  assert.equal(memory.bytes, 0);
});

test('an answer that is alone is let through whatever its size', () => {
  const memory = new AnswerMemory(8);
  const held = memory.hold();
  held.add(1000);
  held.add(1000);
  assert.throws(() => memory.hold().add(1), isBusy);
  held.free();
  assert.equal(memory.bytes, 0);
});

test('traces are held while they are read, a few at a time, and freed however that ends', async () => {
  const ids = Array.from({ length: 25 }, (_, n) => traceId(n));
  engine.insert(ids.map((id) => spanOf({ traceId: id })));
  const keys = ids.map((id) => traceKeyOf(id)!);
  const memory = new AnswerMemory();
  const seen: number[] = [];
  for await (const _ of getTraces(engine.select, 'default', keys, undefined, memory)) {
    seen.push(memory.bytes);
  }
  assert.equal(seen.length, 25);
  assert.ok(seen.every((bytes) => bytes > 0));
  assert.ok(seen.at(-1)! < seen[0]!, 'five hold less than twenty, which were freed');
  assert.equal(memory.bytes, 0);
  for await (const _ of getTraces(engine.select, 'default', keys, undefined, memory)) break;
  assert.equal(memory.bytes, 0, 'the reader left');
  const other = memory.hold();
  other.add(2 ** 40);
  await assert.rejects(getTraces(engine.select, 'default', keys, undefined, memory).next(), isBusy);
  other.free();
  assert.equal(memory.bytes, 0);
});
