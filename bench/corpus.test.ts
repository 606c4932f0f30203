import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CORPUS_START_UNIX_NANOS, generateRequests } from './corpus/generate.ts';
import { findPlaces, patch } from './corpus/patch.ts';
import { Corpus } from './corpus.ts';
import { type DecodedSpan, loadDecoder } from './rivals/protobufjs.ts';

const decode = loadDecoder();
const SHAPE = { requests: 8, spansPerRequest: 512, seed: 1 };
const requests = [...generateRequests(SHAPE)];

test('a large request has 512 spans of five resources with two scopes each', () => {
  for (const bytes of requests) {
    const { resourceSpans } = decode(bytes);
    assert.equal(resourceSpans.length, 5);
    assert.ok(resourceSpans.every(({ scopeSpans }) => scopeSpans.length === 2));
    assert.equal(spansOf(bytes).length, 512);
  }
});

test('a small request has one resource', () => {
  const [bytes] = generateRequests({ requests: 1, spansPerRequest: 10, seed: 1 });
  assert.ok(bytes);
  assert.equal(decode(bytes).resourceSpans.length, 1);
  assert.equal(spansOf(bytes).length, 10);
});

test('a span has the size and the attributes that rivals were measured with', () => {
  const spans = requests.flatMap(spansOf);
  const per = (total: number): number => total / spans.length;
  const sum = (of: (span: DecodedSpan) => number): number =>
    spans.reduce((total, span) => total + of(span), 0);
  assertNear(per(requests.reduce((total, bytes) => total + bytes.length, 0)), 536, 0.05);
  assertNear(per(sum((span) => span.attributes.length)), 12, 0.05);
  assertNear(per(sum((span) => span.events.length)), 0.17, 0.25);
  assertNear(per(sum((span) => span.links.length)), 0.03, 0.4);
});

test('the same seed makes the same bytes', () => {
  const again = [...generateRequests(SHAPE)];
  assert.ok(again.every((bytes, i) => Buffer.compare(bytes, requests[i] ?? bytes) === 0));
  const [other] = generateRequests({ ...SHAPE, seed: 2 });
  assert.notEqual(Buffer.compare(other ?? Buffer.alloc(0), requests[0] ?? Buffer.alloc(0)), 0);
});

test('a patched request has new ids and times, whole traces, and the rest as before', () => {
  const templates = requests.map((bytes) => findPlaces(bytes, CORPUS_START_UNIX_NANOS));
  const first = { idSalt: 0x0123_4567_89ab_cdefn, startUnixNanos: 1_790_000_000_000_000_123n };
  const second = { idSalt: 0xfedc_ba98_7654_3210n, startUnixNanos: 1_795_000_000_999_999_999n };
  for (const template of templates) {
    patch(template, undefined, first);
    patch(template, first, second);
  }
  const before = requests.flatMap(spansOf);
  const after = templates.flatMap((template) => spansOf(template.bytes));
  const traceIds = new Map<string, string>();
  const spanIds = new Map<string, string>();
  const shift = second.startUnixNanos - CORPUS_START_UNIX_NANOS;
  before.forEach((old, i) => {
    const fresh = after[i];
    assert.ok(fresh);
    rename(traceIds, old.traceId, fresh.traceId);
    rename(spanIds, old.spanId, fresh.spanId);
    if (old.parentSpanId.length > 0) rename(spanIds, old.parentSpanId, fresh.parentSpanId);
    assert.equal(nanos(fresh.startTimeUnixNano), nanos(old.startTimeUnixNano) + shift);
    assert.equal(nanos(fresh.endTimeUnixNano), nanos(old.endTimeUnixNano) + shift);
    old.events.forEach((event, e) => {
      assert.equal(nanos(fresh.events[e]?.timeUnixNano), nanos(event.timeUnixNano) + shift);
    });
    assert.deepEqual(plain(fresh), plain(old));
  });
});

test('what is lent is not lent again before it is given back, and then it is new', () => {
  const corpus = new Corpus(requests.slice(0, 2));
  const first = corpus.borrow();
  const second = corpus.borrow();
  assert.notEqual(first.bytes, second.bytes);
  assert.throws(() => corpus.borrow(), RangeError);
  const ids = spansOf(first.bytes).map((span) => hex(span.traceId));
  first.giveBack();
  const again = corpus.borrow();
  assert.equal(again.bytes, first.bytes);
  const freshIds = new Set(spansOf(again.bytes).map((span) => hex(span.traceId)));
  assert.ok(ids.every((id) => !freshIds.has(id)));
});

test('spans are sent as of now', () => {
  const corpus = new Corpus(requests);
  const nowNanos = BigInt(Date.now()) * 1_000_000n;
  for (const span of spansOf(corpus.borrow().bytes)) {
    const agoSeconds = Number(nowNanos - nanos(span.startTimeUnixNano)) / 1e9;
    assert.ok(agoSeconds >= 0 && agoSeconds < 60, `${agoSeconds} s ago`);
  }
});

function spansOf(bytes: Uint8Array): DecodedSpan[] {
  return decode(bytes).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => [...spans]),
  );
}

/** The same old id must become the same new id everywhere. */
function rename(renamed: Map<string, string>, old: Bytes, fresh: Bytes): void {
  assert.notEqual(hex(old), hex(fresh));
  assert.equal(renamed.get(hex(old)) ?? hex(fresh), hex(fresh));
  renamed.set(hex(old), hex(fresh));
}

function plain({ name, kind, attributes, status, events }: DecodedSpan): unknown {
  const rest = events.map((event) => [event.name, event.attributes]);
  return JSON.parse(JSON.stringify({ name, kind, attributes, status, rest }));
}

function nanos(long: { toString(): string } | undefined): bigint {
  return BigInt(long?.toString() ?? '');
}

type Bytes = DecodedSpan['parentSpanId'];

function hex(bytes: Bytes): string {
  return Buffer.from(bytes).toString('hex');
}

function assertNear(actual: number, expected: number, share: number): void {
  const message = `${actual} is not within ${share * 100} % of ${expected}`;
  assert.ok(Math.abs(actual - expected) <= expected * share, message);
}
