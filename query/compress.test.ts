import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type Coding, codingOf, compress } from './compress.ts';

test('the coding that the client likes best is taken, and the cheapest of those it likes alike', () => {
  const cases: Readonly<Record<string, Coding | undefined>> = {
    '': undefined,
    gzip: 'gzip',
    'gzip, deflate, br, zstd': 'zstd',
    'gzip, deflate, br': 'br',
    BR: 'br',
    'gzip;q=0.5, br;q=0.8': 'br',
    'gzip;q=0': undefined,
    '*': 'zstd',
    '*, zstd;q=0': 'br',
    'identity;q=1, gzip;q=0.5': undefined,
    'identity, gzip': 'gzip',
    'gzip;q=2': undefined,
    'gzip;q=x': undefined,
    deflate: undefined,
    ',;=,': undefined,
    [`gzip${' '.repeat(600)}`]: undefined,
  };
  for (const [header, coding] of Object.entries(cases))
    assert.equal(codingOf(header), coding, header);
  assert.equal(codingOf(undefined), undefined);
});

test('what was compressed can be read again', async () => {
  const pieces = Array.from({ length: 200 }, (_, n) => `{"piece":${n},"text":"${'ü'.repeat(99)}"}`);
  const decoders = { zstd: zstdDecompressSync, gzip: gunzipSync, br: brotliDecompressSync };
  for (const [coding, decode] of Object.entries(decoders)) {
    const bytes = await buffer(compress(Readable.from(pieces), coding as Coding));
    assert.ok(bytes.length < pieces.join('').length / 2, coding);
    assert.equal(decode(bytes).toString(), pieces.join(''), coding);
  }
});

test('a body that breaks off breaks its compressed form off, and the other way round', async () => {
  const failing = Readable.from(
    (async function* () {
      yield 'a';
      throw new Error('the store went away');
    })(),
  );
  await assert.rejects(buffer(compress(failing, 'gzip')), /the store went away/);
  const endless = Readable.from(
    (function* () {
      for (;;) yield 'x'.repeat(1000);
    })(),
  );
  const encoder = compress(endless, 'zstd');
  encoder.on('error', () => undefined);
  encoder.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(endless.destroyed, true);
});
