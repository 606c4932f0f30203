import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VALUE_DEPTH_MAX } from '../../limits.ts';
import type { Span } from '../../span.ts';
import { encodeSpans } from './encode.ts';
import { readEvents, readLinks, readResource, readRest, readScope, readValue } from './read.ts';
import { event, link, resource, scope } from './testing/span_arbitrary.ts';
import { WireError, WireReader } from './wire_reader.ts';

function spanOf(parts: Partial<Span>): Span {
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '',
    name: 'GET /',
    service: 'shop',
    kind: 2,
    startUnixNanos: 1_700_000_000_000_000_000n,
    durationNanos: 5n,
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
    resource: { attributes: [], droppedAttributesCount: 0, schemaUrl: '' },
    scope: { name: '', version: '', attributes: [], droppedAttributesCount: 0, schemaUrl: '' },
    ...parts,
  };
}

/** Payloads of field `number`, in order. */
function payloads(message: Uint8Array, number: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  const reader = new WireReader(message);
  while (reader.next()) {
    if (reader.field === number) found.push(reader.bytes());
    else reader.skip();
  }
  return found;
}

/** As the columns `events` and `links` hold them. */
function delimited(messages: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    messages.flatMap((message) => {
      const length: number[] = [];
      let rest = message.length;
      for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
      return [Uint8Array.from([...length, rest]), message];
    }),
  );
}

test('resources, scopes, events and links come back as they were encoded', () => {
  fc.assert(
    fc.property(
      resource,
      scope,
      fc.array(event, { maxLength: 4 }),
      fc.array(link, { maxLength: 4 }),
      (resourceIn, scopeIn, events, links) => {
        const span = spanOf({ resource: resourceIn, scope: scopeIn, events, links });
        const [resourceSpans] = payloads(encodeSpans([span]), 1);
        const [resourceBytes] = payloads(resourceSpans!, 1);
        const [scopeSpans] = payloads(resourceSpans!, 2);
        const [scopeBytes] = payloads(scopeSpans!, 1);
        const [spanBytes] = payloads(scopeSpans!, 2);
        assert.deepEqual(readResource(resourceBytes!, resourceIn.schemaUrl), resourceIn);
        assert.deepEqual(readScope(scopeBytes!, scopeIn.schemaUrl), scopeIn);
        assert.deepEqual(readEvents(delimited(payloads(spanBytes!, 11))), events);
        assert.deepEqual(readLinks(delimited(payloads(spanBytes!, 13))), links);
      },
    ),
    { numRuns: 300 },
  );
});

test('trace state and dropped counts are read from the rest of a span', () => {
  const parts = {
    traceState: 'vendor=1',
    droppedAttributesCount: 1,
    droppedEventsCount: 300,
    droppedLinksCount: 0xffff_ffff,
  };
  const [resourceSpans] = payloads(encodeSpans([spanOf(parts)]), 1);
  const [scopeSpans] = payloads(resourceSpans!, 2);
  assert.deepEqual(readRest(payloads(scopeSpans!, 2)[0]!), parts);
  assert.equal(readRest(new Uint8Array(0)).traceState, '');
});

test('the last count in the rest wins, as it holds what our limits dropped', () => {
  assert.equal(readRest(Uint8Array.from([0x50, 1, 0x50, 9])).droppedAttributesCount, 9);
});

test('invalid UTF-8 in a stored value is shown as U+FFFD', () => {
  assert.deepEqual(readValue(Uint8Array.from([0x0a, 2, 0x61, 0xff])), {
    type: 'string',
    value: 'a\ufffd',
  });
});

test('a value nested to the limit is read, one level more is refused', () => {
  const nest = (depth: number): Uint8Array => {
    let bytes = Uint8Array.from([0x10, 1]);
    for (let level = 1; level < depth; level++) {
      const item = delimited([bytes]);
      const list = Buffer.concat([Uint8Array.from([0x0a]), item]);
      bytes = new Uint8Array(Buffer.concat([Uint8Array.from([0x2a]), delimited([list])]));
    }
    return bytes;
  };
  assert.equal(readValue(nest(VALUE_DEPTH_MAX)).type, 'array');
  assert.throws(() => readValue(nest(VALUE_DEPTH_MAX + 1)), WireError);
});

test('bytes that end within a field throw and are never read past', () => {
  const whole = Uint8Array.from([0x0a, 3, 0x61, 0x62, 0x63]);
  for (let cut = 1; cut < whole.length; cut++) {
    assert.throws(() => readValue(whole.subarray(0, cut)), WireError);
  }
});
