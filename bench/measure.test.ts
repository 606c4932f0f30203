import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureInterleaved } from './measure.ts';

test('twice the work for the same spans is about half the speed', () => {
  const burn = (loops: number) => (): number => {
    let value = 1;
    for (let i = 0; i < loops; i++) value = Math.imul(value, 31) + i;
    assert.notEqual(value, Number.NaN);
    return 10;
  };
  const work = { plain: { once: burn(200_000) }, double: { once: burn(400_000) } };
  const { plain, double } = measureInterleaved(work, 3, 0.05);
  const ratio = plain.spansPerCpuSecond / double.spansPerCpuSecond;
  assert.ok(ratio > 1.3 && ratio < 3, `ratio ${ratio}`);
  assert.ok(plain.lowest <= plain.spansPerCpuSecond && plain.spansPerCpuSecond <= plain.highest);
});

test('contenders take turns, after one round that does not count', () => {
  const turns: string[] = [];
  const contender = (name: string) => ({
    once: () => {
      if (turns.at(-1) !== name) turns.push(name);
      return 1;
    },
  });
  measureInterleaved({ a: contender('a'), b: contender('b') }, 2, 0.001);
  assert.deepEqual(turns, ['a', 'b', 'a', 'b', 'a', 'b']);
});
