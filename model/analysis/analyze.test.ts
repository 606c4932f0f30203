import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Analyzer, type TraceAnalysis } from './analyze.ts';
import { analyzeNaively } from './testing/naive.ts';
import { Dice, type LooseSpan, randomTrace, skeletonsOf } from './testing/random_traces.ts';

const SEED = 20_261_123;

function analyzeOne(spans: readonly LooseSpan[]): TraceAnalysis {
  return new Analyzer().analyze(skeletonsOf([spans]), 0);
}

test('on-path times and gaps add up to the wall time, to the nanosecond, in 100,000 random traces', () => {
  const dice = new Dice(SEED);
  const analyzer = new Analyzer();
  let wall = 0;
  for (let batch = 0; batch < 100; batch++) {
    const traces = Array.from({ length: 1000 }, () => randomTrace(dice, 14));
    const skeletons = skeletonsOf(traces);
    for (let trace = 0; trace < 1000; trace++) {
      const found = analyzer.analyze(skeletons, trace);
      checkSums(found);
      wall += found.wall;
    }
  }
  assert.ok(wall > 100_000, 'the traces have a length');
});

function checkSums(found: TraceAnalysis): void {
  let sum = found.unseen;
  assert.ok(found.unseen >= 0);
  for (let row = 0; row < found.count; row++) {
    const [onPath, request, response] = [
      found.onPath[row]!,
      found.requestGap[row]!,
      found.responseGap[row]!,
    ];
    if (!(onPath >= 0 && request >= 0 && response >= 0)) assert.fail(`negative at ${row}`);
    if (onPath + request + response > found.self[row]!) assert.fail(`more than self at ${row}`);
    sum += onPath + request + response;
  }
  if (sum !== found.wall) assert.fail(`Σ ${sum} is not the wall time ${found.wall}`);
}

test('columns and objects agree on every time of 10,000 random traces', () => {
  const dice = new Dice(SEED + 1);
  const traces = Array.from({ length: 10_000 }, () => randomTrace(dice, 14));
  const skeletons = skeletonsOf(traces);
  const analyzer = new Analyzer();
  for (const [t, trace] of traces.entries()) {
    const found = analyzer.analyze(skeletons, t);
    const naive = analyzeNaively(trace);
    const times = naive.spans.map((one, row) => [
      [one.onPath, found.onPath[row]],
      [one.requestGap, found.requestGap[row]],
      [one.responseGap, found.responseGap[row]],
      [one.self, found.self[row]],
      [one.shift, found.shift[row]],
    ]);
    const all = [...times.flat(), [naive.wall, found.wall], [naive.unseen, found.unseen]];
    const wrong = all.findIndex(([expected, actual]) => Number(expected) !== actual);
    assert.equal(wrong, -1, `trace ${t}: ${JSON.stringify(trace, printable)}`);
  }
});

const printable = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? `${value}` : value;

test('neither the order of spans nor their repetition changes anything', () => {
  const dice = new Dice(SEED + 2);
  const analyzer = new Analyzer();
  const traces = Array.from({ length: 5000 }, () => randomTrace(dice, 20));
  const shuffled = traces.map((trace) => shuffle([...trace, ...trace.slice(dice.roll(4))], dice));
  const [first, second] = [skeletonsOf(traces), skeletonsOf(shuffled)];
  for (let trace = 0; trace < traces.length; trace++) {
    const before = timesOf(analyzer.analyze(first, trace));
    assert.deepEqual(timesOf(analyzer.analyze(second, trace)), before);
  }
});

function shuffle<T>(list: T[], dice: Dice): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = dice.roll(i + 1);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

function timesOf(found: TraceAnalysis) {
  const columns = [found.onPath, found.requestGap, found.responseGap, found.self, found.shift];
  return [found.wall, found.unseen, ...columns.map((column) => [...column.slice(0, found.count)])];
}

/** Nanoseconds after an arbitrary moment; ids count from 1. */
function span(
  id: number,
  parent: number,
  start: number,
  end: number,
  parts: Partial<LooseSpan> = {},
): LooseSpan {
  return {
    spanId: BigInt(id),
    parentId: BigInt(parent),
    h: id,
    start: 1_000_000_000_000n + BigInt(start),
    duration: BigInt(end - start),
    service: 'shop',
    name: `span ${id}`,
    kind: 1,
    ...parts,
  };
}

/** On-path times by span id; gaps as [request, response] beside them. */
function pathOf(spans: readonly LooseSpan[]): Record<string, number | [number, number]> {
  const skeletons = skeletonsOf([spans]);
  const found = new Analyzer().analyze(skeletons, 0);
  checkSums(found);
  const path: Record<string, number | [number, number]> = {};
  for (let row = 0; row < found.count; row++) {
    const id = `${skeletons.rows.spanId[row]}`;
    const gaps: [number, number] = [found.requestGap[row]!, found.responseGap[row]!];
    if (found.onPath[row]! > 0) path[id] = found.onPath[row]!;
    if (gaps[0] + gaps[1] > 0) path[`${id} gap`] = gaps;
  }
  if (found.unseen > 0) path['unseen'] = found.unseen;
  return path;
}

test('the worked example of docs/ANALYSIS.md comes out as it says', () => {
  const stock = { service: 'stock' };
  const spans = [
    span(1, 0, 0, 100, { kind: 2 }),
    span(2, 1, 5, 85, { kind: 3 }),
    span(3, 2, 15, 75, { kind: 2, ...stock }),
    span(4, 3, 20, 50, { kind: 3, ...stock }),
    span(5, 3, 30, 70, { kind: 3, ...stock }),
    span(6, 1, 88, 400),
  ];
  assert.deepEqual(pathOf(spans), { 1: 8, '2 gap': [10, 10], 3: 10, 4: 10, 5: 40, 6: 12 });
});

test('calls one after the other are all on the path, and the rest is the caller', () => {
  const spans = [span(1, 0, 0, 100), span(2, 1, 10, 40), span(3, 1, 50, 90)];
  assert.deepEqual(pathOf(spans), { 1: 30, 2: 30, 3: 40 });
});

test('of calls at the same time the one that ended last is on the path, the others where it had not begun', () => {
  const spans = [span(1, 0, 0, 100), span(2, 1, 10, 60), span(3, 1, 20, 100)];
  assert.deepEqual(pathOf(spans), { 1: 10, 2: 10, 3: 80 });
});

test('a call that overlaps the next one by a rounded microsecond keeps its time', () => {
  const spans = [span(1, 0, 0, 100_000), span(2, 1, 0, 50_001), span(3, 1, 50_000, 100_000)];
  assert.deepEqual(pathOf(spans), { 2: 50_000, 3: 50_000 });
});

test('a child that goes on in the background does not hide the calls that were waited for', () => {
  const spans = [span(1, 0, 0, 100), span(2, 1, 10, 500), span(3, 1, 20, 60)];
  assert.deepEqual(pathOf(spans), { 1: 10, 2: 50, 3: 40 });
});

test('a message that is received later is not waited for, whoever takes long over it', () => {
  const spans = [
    span(1, 0, 0, 100),
    span(2, 1, 80, 90, { kind: 4 }),
    span(3, 2, 85, 9000, { kind: 5, service: 'mail' }),
  ];
  assert.deepEqual(pathOf(spans), { 1: 90, 2: 10 });
});

test('time before and after the server span of a call is its request and response gap', () => {
  const spans = [
    span(1, 0, 0, 100),
    span(2, 1, 10, 90, { kind: 3 }),
    span(3, 2, 15, 60, { kind: 2, service: 'stock' }),
  ];
  assert.deepEqual(pathOf(spans), { 1: 20, '2 gap': [5, 30], 3: 45 });
});

test('a server whose clock is an hour off is moved to the middle of its call, with all below it', () => {
  const hour = 3_600_000_000_000;
  const stock = { service: 'stock' };
  const spans = [
    span(1, 0, 0, 100),
    span(2, 1, 10, 90, { kind: 3 }),
    span(3, 2, hour, hour + 60, { kind: 2, ...stock }),
    span(4, 3, hour + 10, hour + 30, stock),
  ];
  assert.deepEqual(pathOf(spans), { 1: 20, '2 gap': [10, 10], 3: 40, 4: 20 });
  assert.equal(analyzeOne(spans).skewed, 1);
});

test('a server that goes on after its client gave up is no matter of clocks', () => {
  const spans = [span(1, 0, 0, 50, { kind: 3 }), span(2, 1, 5, 500, { kind: 2, service: 'stock' })];
  assert.deepEqual(pathOf(spans), { '1 gap': [5, 0], 2: 45 });
  assert.equal(analyzeOne(spans).skewed, 0);
});

test('client and server of one id are a call, and children hang below the server', () => {
  const spans = [
    span(1, 0, 0, 100, { kind: 3 }),
    span(1, 0, 10, 90, { kind: 2, service: 'stock', h: 7 }),
    span(2, 1, 20, 80, { service: 'stock' }),
  ];
  const found = analyzeOne(spans);
  assert.deepEqual([...found.parent.slice(0, 3)], [-1, 0, 1]);
  assert.equal(found.wall, 100);
});

test('without its root a trace lasts from the first to the last of what is there', () => {
  const spans = [span(2, 1, 0, 10), span(3, 1, 15, 40), span(4, 3, 20, 30)];
  assert.deepEqual(pathOf(spans), { 2: 10, 3: 15, 4: 10, unseen: 5 });
  assert.equal(analyzeOne(spans).missingParents, 2);
});

test('a part without its parent does not lengthen a trace that has its root', () => {
  const spans = [span(1, 0, 0, 100), span(3, 999, 50, 400)];
  assert.deepEqual(pathOf(spans), { 1: 100 });
});

test('parents in a circle begin with the first of them', () => {
  const spans = [span(1, 3, 0, 100), span(2, 1, 10, 90), span(3, 2, 20, 80)];
  assert.deepEqual(pathOf(spans), { 1: 20, 2: 20, 3: 60 });
  assert.equal(analyzeOne(spans).cycles, 1);
  assert.deepEqual(pathOf([span(1, 1, 0, 100)]), { 1: 100 });
});

test('durations of centuries and times far apart still add up', () => {
  const century = 100 * 365 * 86_400 * 1e9;
  const spans = [
    { ...span(1, 0, 0, 0), duration: 2n ** 63n - 1n },
    { ...span(2, 1, 5, 0), duration: BigInt(century) },
    { ...span(3, 0, 0, 7), start: 2n ** 62n },
  ];
  checkSums(analyzeOne(spans));
});

test('a trace that was made to be slow takes steps in proportion to its spans', () => {
  const depth = 20_000;
  const chain = Array.from({ length: depth }, (_, i) => span(i + 2, i + 1, 1, 1_000_000));
  const slivers = Array.from({ length: depth }, (_, i) => {
    return span(depth + i + 2, 1, 10 + i * 4, 12 + i * 4);
  });
  const spans = [span(1, 0, 0, 900_000), ...chain, ...slivers];
  const skeletons = skeletonsOf([spans]);
  const found = new Analyzer().analyze(skeletons, 0);
  const sum = found.onPath.slice(0, found.count).reduce((a, b) => a + b, found.unseen);
  assert.equal(sum, found.wall);
  // Without its bound 400 million.
  assert.ok(found.steps < 100 * spans.length, `${found.steps} steps`);
});
