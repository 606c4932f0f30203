// What Zipkin 3.6 makes of hand-made traces (testdata/, see its README.md).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { V2Span } from '../codec/zipkin/v1_span.ts';
import { ZipkinLinker } from './zipkin_links.ts';
import { mergeSpans } from './zipkin_merge.ts';

function lines<T>(name: string): T[] {
  const text = readFileSync(new URL(`./testdata/${name}.jsonl`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

interface MergeCase {
  readonly case: string;
  readonly in: readonly V2Span[];
  readonly out: readonly V2Span[];
}

for (const [i, given] of lines<MergeCase>('trace-merge').entries()) {
  test(`merge ${i}: ${given.case}`, () => {
    assert.deepEqual(mergeSpans(given.in), given.out);
    assert.deepEqual(mergeSpans([...given.in].reverse()), given.out);
    assert.deepEqual(mergeSpans([...given.in, ...given.in]), given.out);
  });
}

interface LinkCase {
  readonly case: string;
  readonly traces: readonly (readonly V2Span[])[];
  readonly links: readonly { parent: string; child: string; callCount: number; errorCount?: 0 }[];
}

function linksOf(traces: readonly (readonly V2Span[])[]): object[] {
  const linker = new ZipkinLinker();
  for (const trace of traces) linker.addTrace(trace);
  return linker.links();
}

const named = (link: { parent: string; child: string }) => `${link.parent} ${link.child}`;

for (const [i, given] of lines<LinkCase>('dependency-links').entries()) {
  test(`links ${i}: ${given.case}`, () => {
    const expected = given.links
      .map((link) => ({ errorCount: 0, ...link }))
      .sort((a, b) => (named(a) < named(b) ? -1 : 1));
    assert.deepEqual(linksOf(given.traces), expected);
    assert.deepEqual(linksOf(given.traces.map((trace) => [...trace].reverse())), expected);
    assert.deepEqual(linksOf(given.traces.map((trace) => [...trace, ...trace])), expected);
  });
}

const id = (n: number) => n.toString(16).padStart(16, '0');

function span(n: number, parts: Partial<V2Span> = {}): V2Span {
  return { traceId: id(1), id: id(n), ...parts };
}

test('cycles of parents end, and what hangs beside them is linked', () => {
  const call = { kind: 'CLIENT', localEndpoint: { serviceName: 'a' } } as const;
  const remoteEndpoint = { serviceName: 'b' };
  const trace = [
    span(1, { ...call, parentId: id(2) }),
    span(2, { ...call, parentId: id(1), remoteEndpoint }),
    span(3, { ...call, parentId: id(3), remoteEndpoint }),
    span(4, { ...call, remoteEndpoint }),
  ];
  assert.deepEqual(linksOf([trace]), [{ parent: 'a', child: 'b', callCount: 1, errorCount: 0 }]);
});

test('links of several traces add up, and a name that is sent as JSON stays a name', () => {
  const trace = (child: string, tags?: Record<string, string>) => [
    span(1, {
      kind: 'CLIENT',
      localEndpoint: { serviceName: '","' },
      remoteEndpoint: { serviceName: child },
      ...(tags === undefined ? {} : { tags }),
    }),
  ];
  const traces = [trace('x'), trace('x', { error: '' }), trace('__proto__', { error: 'no' })];
  assert.deepEqual(linksOf(traces), [
    { parent: '","', child: '__proto__', callCount: 1, errorCount: 1 },
    { parent: '","', child: 'x', callCount: 2, errorCount: 1 },
  ]);
});

test('chains and fans of 100,000 spans take one step a span', () => {
  const local = { localEndpoint: { serviceName: 'a' } };
  const leaf = { kind: 'CLIENT', ...local, remoteEndpoint: { serviceName: 'b' } } as const;
  const above = (n: number) => (n === 1 ? {} : { parentId: id(n - 1) });
  const chain = Array.from({ length: 100_000 }, (_, i) =>
    span(i + 1, { ...local, ...above(i + 1) }),
  );
  const fan = Array.from({ length: 100_000 }, (_, i) =>
    span(i + 1, i === 0 ? local : { ...leaf, parentId: id(1) }),
  );
  assert.deepEqual(linksOf([[...chain, span(200_000, { ...leaf, parentId: id(100_000) })], fan]), [
    { parent: 'a', child: 'b', callCount: 100_000, errorCount: 0 },
  ]);
});
