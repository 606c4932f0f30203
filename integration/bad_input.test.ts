// Promises P5, P7, P8, P9 over HTTP: a clear refusal for each bad request, and nothing else suffers.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { type Answer, call } from './harness/http.ts';
import { getTrace } from './harness/jaeger.ts';
import {
  decodeResponse,
  decodeStatus,
  encodeRequest,
  hex,
  nestedArray,
  type TestSpan,
  traceOf,
} from './harness/otlp.ts';
import { Patient } from './harness/patient.ts';
import { Prng, seedFromEnvironment } from './harness/prng.ts';

const MIB = 1024 * 1024;
const gzipBomb = gzipSync(Buffer.alloc(64 * MIB));
const deflateBomb = deflateSync(Buffer.alloc(128 * MIB));
const zstdBomb = zstdCompressSync(Buffer.alloc(256 * MIB));
/** What is left of 10,000: model/limits.ts, ATTRIBUTES_PER_SPAN_MAX. */
const ATTRIBUTES_KEPT = 1024;
const MUTATIONS = 480;
const AT_ONCE = 24;

describe('bad requests over HTTP', () => {
  let patient: Patient;
  before(async () => {
    patient = await Patient.admit();
  });
  afterEach(() => patient.checkUp());
  after(() => patient?.discharge());

  function post(body: Uint8Array | string, headers: Record<string, string> = {}): Promise<Answer> {
    return call(`${patient.spanhouse.otlpHttp}/v1/traces`, {
      body,
      headers: { 'content-type': 'application/x-protobuf', ...headers },
    });
  }

  /** The status, and a google.rpc.Status in the encoding of the request, with a sentence in it. */
  async function refused(status: number, body: Uint8Array, headers: Record<string, string> = {}) {
    const answer = await post(body, headers);
    assert.equal(answer.status, status);
    assert.equal(answer.headers['retry-after'], undefined, 'sending it again cannot help');
    const json = headers['content-type'] === 'application/json';
    const { message } = json
      ? (JSON.parse(answer.body.toString()) as { message: string })
      : decodeStatus(answer.body);
    assert.ok(message.length > 10, message);
    return message;
  }

  test('rubbish is malformed, in protobuf and in JSON', async () => {
    const random = new Prng(seedFromEnvironment());
    await refused(400, Buffer.from('<html>hello</html>'));
    await refused(400, Buffer.alloc(10_000, 0xff));
    await refused(400, Buffer.from([0x0a, 0x10, ...random.bytes(5)]));
    const json = { 'content-type': 'application/json' };
    for (const text of ['{', 'null', '[]', '"', '{"resourceSpans":{}}', '{"resourceSpans":[1]}']) {
      await refused(400, Buffer.from(text), json);
    }
  });

  test('a request that is cut anywhere is malformed', async () => {
    const whole = encodeRequest('cut', traceOf(2));
    for (let length = 1; length < whole.length; length += 3) {
      await refused(400, whole.subarray(0, length));
    }
  });

  test('mutated requests are accepted or malformed, nothing else', async (t) => {
    const random = new Prng(seedFromEnvironment());
    t.diagnostic(`TEST_SEED=${random.seed}`);
    const statuses = new Map<number, number>();
    const sendMutated = async () => {
      const bytes = Buffer.from(encodeRequest('mutated', traceOf(3)));
      for (let flips = random.int(1, 6); flips > 0; flips--) {
        bytes[random.int(0, bytes.length)] = random.int(0, 256);
      }
      const { status } = await post(bytes);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    };
    for (let sent = 0; sent < MUTATIONS; sent += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, sendMutated));
    }
    t.diagnostic(JSON.stringify([...statuses]));
    assert.deepEqual([...statuses.keys()].sort(), [200, 400]);
  });

  test('lengths beyond the body are malformed, however huge', async () => {
    const varints = ['ffffffff07', 'ffffffff0f', 'ffffffffffffffff7f', 'ffffffffffffffffff01'];
    for (const varint of [...varints, 'ffffffffffffffffffff01']) {
      await refused(400, Buffer.from(`0a${varint}`, 'hex'));
    }
  });

  test('a body that inflates past the cap is refused while it inflates', async () => {
    // 1 GiB of zeros behind 1 MiB of gzip, in 16 members.
    const gzip = Buffer.concat(Array.from({ length: 16 }, () => gzipBomb));
    assert.match(await refused(413, gzip, { 'content-encoding': 'gzip' }), /\d/);
    assert.match(await refused(413, deflateBomb, { 'content-encoding': 'deflate' }), /\d/);
    assert.match(await refused(413, zstdBomb, { 'content-encoding': 'zstd' }), /\d/);
  });

  test('a body over the cap on the wire is refused', async () => {
    const answer = await post(Buffer.alloc(65 * MIB)).catch((error: unknown) => error);
    // The server need not read the rest, so that the client may see a broken pipe instead.
    if (!(answer instanceof Error)) assert.equal((answer as Answer).status, 413);
  });

  test('compressed rubbish is malformed, an unknown compression is unsupported', async () => {
    const good = gzipSync(encodeRequest('gzip', traceOf(2)));
    await refused(400, Buffer.from('not gzip'), { 'content-encoding': 'gzip' });
    await refused(400, good.subarray(0, good.length - 10), { 'content-encoding': 'gzip' });
    await refused(400, gzipSync(good), { 'content-encoding': 'gzip' });
    await refused(400, randomBytes(500), { 'content-encoding': 'deflate' });
    await refused(400, randomBytes(500), { 'content-encoding': 'zstd' });
    for (const encoding of ['br', 'gzip, gzip', 'snappy', 'x'.repeat(200)]) {
      await refused(415, good, { 'content-encoding': encoding });
    }
  });

  test('10,000 attributes are cut to the limit, and the rest of the span is kept', async () => {
    const attributes = Array.from({ length: 10_000 }, (_, i) => ({
      key: `key.${i}`,
      value: `value ${i}`,
    }));
    const [span] = traceOf(1) as [TestSpan];
    const answer = await post(encodeRequest('wide', [{ ...span, attributes }]));
    assert.equal(answer.status, 200);
    const trace = await getTrace(patient.spanhouse.query, hex(span.traceId));
    const kept = trace?.spans[0]?.tags.filter(({ key }) => key.startsWith('key.')) ?? [];
    assert.equal(kept.length, ATTRIBUTES_KEPT);
    assert.deepEqual(kept.find(({ key }) => key === 'key.1023')?.value, 'value 1023');
  });

  test('values nested 49 deep are kept, 60 deep are malformed', async () => {
    const [span] = traceOf(1) as [TestSpan];
    const request = (depth: number) =>
      encodeRequest('deep', [{ ...span, attributes: [{ key: 'a', value: nestedArray(depth) }] }]);
    assert.equal((await post(request(49))).status, 200);
    for (const depth of [50, 60, 10_000]) {
      assert.match(await refused(400, request(depth)), /malformed|deep/);
    }
    const text = `${'{"a":['.repeat(100_000)}`;
    await refused(400, Buffer.from(text), { 'content-type': 'application/json' });
  });

  test('honest bodies of tens of MiB are accepted without a stall', async () => {
    const spans = Array.from({ length: 2_000 }, () => traceOf(10)).flat();
    const filler = { key: 'filler', value: 'x'.repeat(1_000) };
    const request = encodeRequest(
      'large',
      spans.map((span) => ({ ...span, attributes: [filler] })),
    );
    assert.ok(request.length > 20 * MIB);
    const answer = await post(request);
    assert.equal(answer.status, 200);
    assert.deepEqual(decodeResponse(answer.body), { rejectedSpans: 0, errorMessage: '' });
    const json = JSON.stringify(jsonRequest(10_000));
    const typed = { 'content-type': 'application/json' };
    assert.equal((await post(json, typed)).status, 200);
  });

  test('unknown content types, methods and paths are refused by name', async () => {
    const body = encodeRequest('type', traceOf(1));
    for (const type of ['application/octet-stream', 'application/grpc', 'x'.repeat(200)]) {
      assert.equal((await post(body, { 'content-type': type })).status, 415, type);
    }
    const url = `${patient.spanhouse.otlpHttp}/v1/traces`;
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await call(url, { method });
      assert.equal(answer.status, 405, method);
      assert.match(answer.headers.allow ?? '', /POST/);
    }
    for (const path of ['/', '/v1/trace', '/v1/traces/x', '/%00', '/..%2f..%2fetc/passwd']) {
      const answer = await call(`${patient.spanhouse.otlpHttp}${path}`, { body });
      assert.equal(answer.status, 404, path);
    }
  });
});

function jsonRequest(spans: number) {
  const now = `${Date.now()}000000`;
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'large json' } }] },
        scopeSpans: [
          {
            spans: Array.from({ length: spans }, (_, i) => ({
              traceId: randomBytes(16).toString('hex'),
              spanId: randomBytes(8).toString('hex'),
              name: `span ${i}`,
              startTimeUnixNano: now,
              endTimeUnixNano: now,
              attributes: [{ key: 'filler', value: { stringValue: 'x'.repeat(1_000) } }],
            })),
          },
        ],
      },
    ],
  };
}
