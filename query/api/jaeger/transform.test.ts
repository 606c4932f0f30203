import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestService, type TestService } from '../../testing/service.ts';
import { attributesOf, eventOf, linkOf, spanOf, traceId } from '../../testing/spans.ts';

let service: TestService;
before(async () => {
  service = await startTestService();
});
after(() => service.stop());

const post = (body: string, headers: Record<string, string> = {}) =>
  service.get('/api/transform', { method: 'POST', body, headers });
const JSON_HEADERS = { 'content-type': 'application/json' };

/** What the UI's user has in a file: an answer of the v3 API. */
async function fileOf(ids: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    ids.map(async (id) => {
      const answer = await service.get(`/api/v3/traces/${id}?rawTraces=true`);
      return JSON.parse(answer.text).result.resourceSpans as object[];
    }),
  );
  return JSON.stringify({ resourceSpans: parts.flat() });
}

test('spans of a file are shown as they are when they are stored', async () => {
  await service.insert([
    spanOf({
      traceId: traceId(1),
      attributes: attributesOf({ s: '"x"', i: 1n, d: 0.5, b: true, l: ['a', 2n] }),
      events: [eventOf('boom', { why: 'because' })],
      links: [linkOf(traceId(2))],
      statusCode: 2,
    }),
    spanOf({ traceId: traceId(1), service: 'bank' }),
    spanOf({ traceId: traceId(2) }),
  ]);
  const stored = await Promise.all(
    [1, 2].map(async (n) => (await service.get(`/api/traces/${traceId(n)}?raw=true`)).json()),
  );
  const body = await fileOf([traceId(1), traceId(2)]);
  const ways = [
    JSON_HEADERS,
    { 'content-type': 'application/whatever' },
    // As a browser sends text for a page of ours.
    { 'content-type': 'text/plain;charset=UTF-8', 'sec-fetch-site': 'same-origin' },
  ];
  for (const headers of ways) {
    const answer = await post(body, headers);
    assert.equal(answer.status, 200, answer.text);
    const { data, total, errors } = answer.json();
    assert.deepEqual([total, errors], [0, null]);
    assert.deepEqual(
      data,
      stored.map((one) => one.data[0]),
    );
  }
  const pretty = await service.get('/api/transform?prettyPrint=true', {
    method: 'POST',
    body,
    headers: JSON_HEADERS,
  });
  assert.match(pretty.text, /^\{\n {4}"data": \[/);
});

test('nothing is stored by it, and a file without spans has no traces', async () => {
  const body = (await fileOf([traceId(2)])).replaceAll(traceId(2), traceId(3));
  assert.equal((await post(body, JSON_HEADERS)).json().data[0]?.traceID, traceId(3));
  assert.equal((await service.get(`/api/traces/${traceId(3)}`)).status, 404);
  for (const empty of ['{}', '{"resourceSpans":[]}', '{"spans":1}']) {
    assert.deepEqual((await post(empty, JSON_HEADERS)).json().data, [], empty);
  }
});

test('what is no OTLP is refused with the place', async () => {
  const span = (fields: object) =>
    JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [fields] }] }] });
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /expected a body of OTLP JSON/],
    ['[', /cannot unmarshal OTLP: /],
    ['{"resourceSpans":1}', /resourceSpans must be an array/],
    [span({ traceId: 'x' }), /resourceSpans\[0\].scopeSpans\[0\].spans\[0\].traceId must be/],
    [span({}), /expected a traceId of 32 hex digits/],
    [span({ traceId: '0102', spanId: '0102030405060708' }), /expected a traceId of 32 hex digits/],
  ];
  for (const [body, message] of cases) {
    const answer = await post(body, JSON_HEADERS);
    assert.equal(answer.status, 400, `${body}: ${answer.text}`);
    assert.match(answer.json().errors?.[0]?.msg ?? '', message);
  }
  const large = await post('x'.repeat(8 * 1024 * 1024 + 1), JSON_HEADERS);
  assert.equal(large.status, 413);
  assert.match(large.json().errors?.[0]?.msg ?? '', /at most 8388608 bytes/);
  const foreign = await post('{}', {
    'content-type': 'text/plain',
    'sec-fetch-site': 'cross-site',
  });
  assert.equal(foreign.status, 415);
});

test('bodies that come in slowly are bounded together, and hold up nothing else', async () => {
  const size = 8 * 1024 * 1024;
  const part = Buffer.alloc(size - 1, 0x20);
  const slow = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const sending = request({
        ...{ host: '127.0.0.1', port: service.port, path: '/api/transform', method: 'POST' },
        headers: { ...JSON_HEADERS, 'content-length': size },
      });
      sending.on('error', () => undefined);
      await new Promise((resolve) => sending.write(part, resolve));
      return sending;
    }),
  );
  const untilIs = async (status: number): Promise<string> => {
    for (let tries = 0; tries < 200; tries++) {
      const answer = await post('{"spans": 1}', JSON_HEADERS);
      if (answer.status === status) return answer.text;
      await sleep(50);
    }
    return assert.fail(`never ${status}`);
  };
  assert.match(await untilIs(429), /more than 33554432 bytes together/);
  assert.equal((await service.get('/api/services')).status, 200);
  for (const sending of slow) sending.destroy();
  await untilIs(200);
});
