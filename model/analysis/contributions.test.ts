import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Analyzer } from './analyze.ts';
import { Contributions, nameAndKind, OUTSIDE } from './contributions.ts';
import type { Tally } from './tally.ts';
import { Dice, type LooseSpan, randomTrace, skeletonsOf } from './testing/random_traces.ts';

function contributionsOf(traces: readonly (readonly LooseSpan[])[]) {
  const skeletons = skeletonsOf(traces);
  const analyzer = new Analyzer();
  const all = new Contributions();
  for (let t = 0; t < traces.length; t++) all.add(skeletons, analyzer.analyze(skeletons, t), t);
  return { all, texts: skeletons.texts };
}

function sumOf(tally: Tally): bigint {
  return [...tally].reduce((sum, { part }) => sum + part.onPath.nanos, 0n);
}

test('services, operations and edges each add up to the wall time with the gaps, exactly', () => {
  const dice = new Dice(11);
  for (let round = 0; round < 50; round++) {
    const { all } = contributionsOf(Array.from({ length: 100 }, () => randomTrace(dice, 16)));
    const rest = sumOf(all.gaps) + all.unseen.nanos;
    for (const tally of [all.services, all.operations, all.edges]) {
      assert.equal(sumOf(tally) + rest, all.wall.nanos);
    }
    for (const { part } of all.gaps) {
      assert.equal(part.request.nanos + part.response.nanos, part.onPath.nanos);
    }
    assert.equal(all.traces.length, 100);
  }
});

test('sums stay exact beyond what a double holds', () => {
  const month = 2n ** 51n - 1n;
  const long = (n: number): LooseSpan => ({
    spanId: BigInt(n),
    parentId: 0n,
    h: n,
    start: 5n,
    duration: month,
    service: 'shop',
    name: 'wait',
    kind: 1,
  });
  const { all } = contributionsOf(Array.from({ length: 1000 }, (_, n) => [long(n + 1)]));
  assert.equal(all.wall.nanos, 1000n * month);
  assert.equal(sumOf(all.services), 1000n * month);
});

const at = (parts: Partial<LooseSpan>): LooseSpan => ({
  spanId: 1n,
  parentId: 0n,
  h: 0,
  start: 1000n,
  duration: 100n,
  service: 'shop',
  name: 'GET /',
  kind: 2,
  ...parts,
});

/** A call of `millis` in a trace of 100. */
function call(nanos: number): LooseSpan[] {
  return [
    at({}),
    at({ spanId: 2n, parentId: 1n, start: 1010n, duration: 80n, kind: 3, name: 'call' }),
    at({
      spanId: 3n,
      parentId: 2n,
      start: 1015n,
      duration: BigInt(nanos),
      service: 'stock',
      name: 'count',
    }),
  ];
}

test('an operation is a service, a name and a kind; an edge says who called; a gap is between the two', () => {
  const { all, texts } = contributionsOf([call(60)]);
  const text = (number: number): string => (number === OUTSIDE ? 'outside' : texts.at(number));
  const operations = [...all.operations].map(({ a, b, part }) => {
    const [name, kind] = nameAndKind(b);
    return `${text(a)} ${text(name)} ${kind}: ${part.onPath.nanos}`;
  });
  assert.deepEqual(operations.sort(), ['shop GET / 2: 20', 'shop call 3: 0', 'stock count 2: 60']);
  const edges = [...all.edges].map(
    ({ a, b, part }) => `${text(a)}>${text(b)} ${part.onPath.nanos}`,
  );
  assert.deepEqual(edges.sort(), ['outside>shop 20', 'shop>stock 60']);
  const gaps = [...all.gaps].map(
    ({ a, b, part }) =>
      `${text(a)}>${text(b)} ${part.onPath.nanos} = ${part.request.nanos} + ${part.response.nanos}`,
  );
  assert.deepEqual(gaps, ['shop>stock 20 = 5 + 15']);
});

test('examples are the trace with the most of it and one near the median, of those it is on the path of', () => {
  const traces = Array.from({ length: 1001 }, (_, n) => call((n * 7) % 61));
  const { all, texts } = contributionsOf([...traces, [at({})]]);
  const { part } = [...all.services].find(({ a }) => texts.at(a) === 'stock')!;
  assert.equal(part.traces, 1001);
  assert.equal(part.tracesOnPath, 1001 - 17);
  assert.deepEqual(part.largest, { trace: 26, nanos: 60 });
  const median = part.sample.median!;
  assert.ok(Math.abs(median.nanos - 30) <= 4, `${median.nanos}`);
  assert.equal(median.nanos, (median.trace * 7) % 61);
});
