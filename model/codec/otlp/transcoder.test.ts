// Inputs at the edge of the memory layout: the walk must cut blocks, never overrun a region. What
// the rows hold is compared with the twin in twin_vs_wasm.test.ts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as limits from '../../limits.ts';
import { loadTranscoder } from './transcoder.ts';

const transcoder = await loadTranscoder();
const AGE = { maxAgeSeconds: 3600 };

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function field(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Uint8Array.from([tag, ...varint(length)]), ...parts]);
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const text = (value: string): Uint8Array => Buffer.from(value);

/** A span with its own trace id, started at 1 ns, and `extra` fields. */
function span(id: number, ...extra: Uint8Array[]): Uint8Array {
  const trace = Buffer.alloc(16, 1);
  trace.writeUInt32BE(id + 1, 12);
  const start = bytes(0x39, 1, 0, 0, 0, 0, 0, 0, 0);
  return field(0x12, field(0x0a, trace), field(0x12, trace.subarray(8)), start, ...extra);
}

function resourceSpans(resource: Uint8Array, ...spans: Uint8Array[]): Uint8Array {
  return field(0x0a, field(0x0a, resource), field(0x12, ...spans));
}

/** Checks and transcodes one request; every span must come out, in as many blocks as it takes. */
function transcodeAll(request: Uint8Array, spans: number) {
  const checked = transcoder.check(request, 5n, AGE.maxAgeSeconds);
  assert.deepEqual(checked.ok && checked.spans, spans);
  const record = { tenant: 't', bytes: request, recordUnixNanos: 5n };
  const { blocks, counts } = transcoder.transcode([record], AGE);
  assert.equal(counts.spans, spans);
  assert.equal(
    blocks.reduce((sum, block) => sum + block.rows, 0),
    spans,
  );
  return { blocks, counts };
}

describe('the walk over OTLP bytes', () => {
  it('has the same limits in AssemblyScript as in model/limits.ts', () => {
    const layout = readFileSync(new URL('./assembly/layout.ts', import.meta.url), 'utf8');
    const ours = Object.entries(limits).filter(([name]) => layout.includes(`const ${name}:`));
    assert.ok(ours.length >= 12);
    for (const [name, value] of ours) {
      const written = new RegExp(`const ${name}: \\w+ = ([\\d *]+);`).exec(layout)?.[1] ?? '';
      const product = written.split('*').reduce((all, factor) => all * Number(factor), 1);
      assert.equal(product, value, name);
    }
  });

  it('takes a request of as many smallest spans as fit into 64 MiB, in full blocks', () => {
    const each = resourceSpans(
      new Uint8Array(0),
      ...Array.from({ length: 1000 }, (_, i) => span(i)),
    );
    const times = Math.floor(limits.REQUEST_BYTES_MAX / each.length);
    const request = Buffer.concat(Array.from({ length: times }, () => each));
    const { blocks } = transcodeAll(request, times * 1000);
    assert.ok(blocks.slice(0, -1).every((block) => block.rows === limits.BLOCK_ROWS_MAX));
  });

  it('cuts blocks where event attributes would outgrow their column', () => {
    const tiny = field(0x1a, field(0x12, field(0x0a))); // KeyValue { value: { string: '' } }
    const event = field(0x5a, ...Array.from({ length: 40_000 }, () => tiny));
    const spans = Array.from({ length: 40 }, (_, i) => span(i, event, event, event, event));
    const { blocks } = transcodeAll(resourceSpans(new Uint8Array(0), ...spans), 40);
    assert.ok(blocks.length > 1);
  });

  it('cuts blocks where integers would outgrow their column', () => {
    const one = field(0x4a, field(0x12, bytes(0x18, 0)));
    const attributes = Array.from({ length: limits.ATTRIBUTES_PER_SPAN_MAX }, () => one);
    const spans = Array.from({ length: 8_000 }, (_, i) => span(i, ...attributes));
    const { blocks } = transcodeAll(resourceSpans(new Uint8Array(0), ...spans), 8_000);
    assert.ok(blocks.length > 1);
  });

  it('cuts blocks where keys would outgrow their dictionary', () => {
    const spans = Array.from({ length: 200 }, (_, i) => {
      const keys = Array.from({ length: 1000 }, (_, k) => text(`key-${i}-${k}`));
      const attributes = keys.map((key) =>
        field(0x4a, field(0x0a, key), field(0x12, bytes(0x10, 1))),
      );
      return span(i, ...attributes);
    });
    const { blocks } = transcodeAll(resourceSpans(new Uint8Array(0), ...spans), 200);
    assert.ok(blocks.length >= 3);
  });

  it('cuts blocks where longest keys would outgrow their dictionary', () => {
    const spans = Array.from({ length: 30 }, (_, i) => {
      const keys = Array.from({ length: 1000 }, (_, k) =>
        text(`${i}-${k}-`.padEnd(limits.KEY_BYTES_MAX, 'k')),
      );
      return span(i, ...keys.map((key) => field(0x4a, field(0x0a, key))));
    });
    const { blocks, counts } = transcodeAll(resourceSpans(new Uint8Array(0), ...spans), 30);
    assert.ok(blocks.length > 1);
    assert.equal(counts.droppedAttributes, 0);
  });

  it('cuts blocks where resources are as large as they may be', () => {
    const parts = Array.from({ length: 60 }, (_, i) => {
      const value = text(`${i}`.padEnd(limits.RESOURCE_BYTES_MAX - 100, 'r'));
      const resource = field(0x0a, field(0x0a, text('k')), field(0x12, field(0x0a, value)));
      return resourceSpans(resource, span(i));
    });
    const { blocks } = transcodeAll(Buffer.concat(parts), 60);
    assert.ok(blocks.length > 1);
  });

  it('rejects a span over its limit and keeps one just below', () => {
    const value = (size: number) => field(0x1a, Buffer.alloc(size, 120));
    const request = resourceSpans(
      new Uint8Array(0),
      span(1, value(limits.SPAN_BYTES_MAX)),
      span(2, value(limits.SPAN_BYTES_MAX - 100)),
    );
    const { counts } = transcodeAll(request, 1);
    assert.equal(counts.rejected.span_too_large, 1);
  });

  it('rejects spans whose schema URL is too large', () => {
    const url = field(0x1a, Buffer.alloc(limits.RESOURCE_BYTES_MAX + 1, 120));
    const ofResource = field(0x0a, field(0x12, span(1)), url);
    const ofScope = field(0x0a, field(0x12, span(2), url));
    const { counts } = transcodeAll(Buffer.concat([ofResource, ofScope]), 0);
    assert.equal(counts.rejected.resource_too_large, 2);
  });

  it('goes on after bytes that broke it', () => {
    const record = { tenant: 't', bytes: bytes(0x0a, 200), recordUnixNanos: 5n };
    assert.throws(() => transcoder.transcode([record], AGE), WebAssembly.RuntimeError);
    transcodeAll(resourceSpans(new Uint8Array(0), span(1)), 1);
  });

  it('says where a request is malformed', () => {
    const checked = transcoder.check(bytes(0x0a, 3, 1, 2), 5n, AGE.maxAgeSeconds);
    assert.ok(!checked.ok);
    assert.match(checked.message, /expected an ExportTraceServiceRequest .* near offset 2 of 4/);
  });

  it('refuses more bytes than it has room for', () => {
    const large = new Uint8Array(transcoder.groupBytesMax + 1);
    const record = { tenant: 't', bytes: large, recordUnixNanos: 5n };
    assert.throws(() => transcoder.transcode([record], AGE), RangeError);
  });
});
