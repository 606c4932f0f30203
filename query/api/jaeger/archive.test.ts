import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import { silentLog } from '../../../service/log.ts';
import { Metrics } from '../../../service/metrics.ts';
import { startQuery } from '../../server.ts';
import { grpcClient } from '../../testing/jaeger_grpc.ts';
import {
  type Envelope,
  OTHER_TENANT,
  startTestService,
  type TestService,
} from '../../testing/service.ts';
import { attributesOf, eventOf, NOON, SECOND, spanOf, traceId } from '../../testing/spans.ts';

let service: TestService;
before(async () => {
  service = await startTestService();
});
after(() => service.stop());

const post = (id: string, headers: Record<string, string> = {}) =>
  service.get(`/api/archive/${id}`, { method: 'POST', headers });

/** What the retention does when its time has come. */
async function forget(): Promise<void> {
  const client = await service.access.ingest();
  for (const table of ['spans', 'trace_summaries', 'resources', 'scopes', 'search']) {
    await client.command({ query: `TRUNCATE TABLE ${service.access.database}.${table}` });
  }
}

const archivedRows = async (): Promise<number> => {
  const client = await service.access.ingest();
  const query = `SELECT count() AS rows FROM ${service.access.database}.archive FINAL`;
  const result = await client.query({ query, format: 'JSONEachRow' });
  const [row] = await result.json<{ rows: string }>();
  return Number(row?.rows);
};

test('an archived trace is shown as it was, when the stored one is gone', async () => {
  const spans = [
    spanOf({
      traceId: traceId(1),
      attributes: attributesOf({ s: 'x', i: 2n ** 60n, b: true, l: ['a', 1n] }),
      events: [eventOf('boom', { why: 'because' })],
      traceState: 'a=b',
      droppedLinksCount: 2,
    }),
    ...Array.from({ length: 2100 }, (_, i) =>
      spanOf({ traceId: traceId(1), service: `s${i % 7}`, startUnixNanos: NOON + BigInt(i) }),
    ),
  ];
  await service.insert(spans);
  // Sent twice, stored twice, archived once.
  await service.insert(spans);
  const before = await service.get(`/api/traces/${traceId(1)}`);
  const v3Before = await service.get(`/api/v3/traces/${traceId(1)}`);
  const answer = await post(traceId(1));
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.text, '{"data":[],"total":0,"limit":0,"offset":0,"errors":[]}');
  await forget();
  const after = await service.get(`/api/traces/${traceId(1)}`);
  assert.equal(after.status, 200);
  assert.deepEqual(bySpan(after.text), bySpan(before.text));
  assert.deepEqual(
    bySpan((await service.get(`/api/archive/${traceId(1)}`)).text),
    bySpan(before.text),
  );
  const v3After = await service.get(`/api/v3/traces/${traceId(1)}`);
  assert.equal(countOf(v3After.text), countOf(v3Before.text));
  const several = await service.get(`/api/traces?traceID=${traceId(1)}&traceID=${traceId(77)}`);
  assert.equal(several.json().data.length, 1);
  assert.equal(several.json().errors?.[0]?.msg, 'trace not found');
});

/** Processes are numbered by first use, spans of one start stand in any order. */
function bySpan(text: string): Map<string, unknown> {
  const [trace] = (JSON.parse(text) as Envelope).data;
  assert.ok(trace);
  return new Map(
    trace.spans.map(({ processID, ...span }) => [
      span.spanID,
      { ...span, process: trace.processes[processID] },
    ]),
  );
}

const countOf = (text: string): number => text.split('"spanId"').length;

test('archiving again keeps one copy, and takes in the spans that have come since', async () => {
  await service.insert([spanOf({ traceId: traceId(2), name: 'first' })]);
  const rows = await archivedRows();
  assert.equal((await post(traceId(2))).status, 200);
  assert.equal((await post(traceId(2))).status, 200);
  assert.equal(await archivedRows(), rows + 1);
  await service.insert([
    spanOf({ traceId: traceId(2), name: 'late', startUnixNanos: NOON + SECOND }),
  ]);
  assert.equal((await post(traceId(2))).status, 200);
  assert.equal(await archivedRows(), rows + 1);
  await forget();
  // Archived and gone: nothing to do.
  assert.equal((await post(traceId(2))).status, 200);
  const shown = (await service.get(`/api/archive/${traceId(2)}`)).json().data[0];
  assert.deepEqual(
    shown?.spans.map((span) => span.operationName),
    ['first', 'late'],
  );
});

test('a trace that is partly gone does not take the place of the whole one', async () => {
  await service.insert([spanOf({ traceId: traceId(3) }), spanOf({ traceId: traceId(3) })]);
  assert.equal((await post(traceId(3))).status, 200);
  await forget();
  await service.insert([spanOf({ traceId: traceId(3) })]);
  assert.equal((await post(traceId(3))).status, 200);
  const shown = (await service.get(`/api/archive/${traceId(3)}`)).json().data[0];
  assert.equal(shown?.spans.length, 2);
});

test('the archives of two tenants are two', async () => {
  await service.insert([spanOf({ traceId: traceId(4), name: 'mine' })]);
  await service.insert([spanOf({ traceId: traceId(4), name: 'theirs' })], OTHER_TENANT);
  assert.equal((await post(traceId(4))).status, 200);
  assert.equal((await service.other.get(`/api/archive/${traceId(4)}`)).status, 404);
  const archived = await service.other.get(`/api/archive/${traceId(4)}`, { method: 'POST' });
  assert.equal(archived.status, 200);
  await forget();
  for (const [side, name] of [
    [service, 'mine'],
    [service.other, 'theirs'],
  ] as const) {
    const shown = (await side.get(`/api/traces/${traceId(4)}`)).json().data[0];
    assert.deepEqual(
      shown?.spans.map((span) => span.operationName),
      [name],
    );
  }
});

test('gRPC archives, too', async () => {
  await service.insert([spanOf({ traceId: traceId(5) })]);
  const client = grpcClient(service.grpcPort, 'jaeger.api_v2.QueryService');
  try {
    const archive = (id: string) =>
      client.call('ArchiveTrace', { trace_id: Buffer.from(id, 'hex') });
    assert.deepEqual(await archive(traceId(5)), [{}]);
    assert.equal((await service.get(`/api/archive/${traceId(5)}`)).status, 200);
    await forget();
    const trace = await client.call('GetTrace', { trace_id: Buffer.from(traceId(5), 'hex') });
    assert.equal(trace.length, 1);
    await assert.rejects(archive(traceId(66)), (error: ServiceError) => {
      assert.equal(error.code, status.NOT_FOUND);
      return true;
    });
  } finally {
    client.close();
  }
});

test('what cannot be archived is refused with a reason', async () => {
  const missing = await post(traceId(66));
  assert.equal(missing.status, 404);
  assert.equal(missing.json().errors?.[0]?.msg, 'trace not found');
  assert.equal((await post('zz')).status, 400);
  assert.equal((await post(`${traceId(1)}?start=x`)).status, 400);
  assert.equal((await service.get(`/api/archive/${traceId(66)}`)).status, 404);
  assert.equal((await service.get('/api/archive/zz')).status, 400);
});

test('a page of another site cannot make a browser archive', async () => {
  await service.insert([spanOf({ traceId: traceId(6) })]);
  for (const site of ['cross-site', 'same-site']) {
    assert.equal((await post(traceId(6), { 'sec-fetch-site': site })).status, 403);
  }
  assert.equal((await post(traceId(6), { 'sec-fetch-site': 'same-origin' })).status, 200);
});

test('without an archive nothing is kept, in Jaeger’s words; what was kept is shown', async () => {
  await service.insert([spanOf({ traceId: traceId(7) })]);
  assert.equal((await post(traceId(7))).status, 200);
  await forget();
  const reader = await startQuery({
    access: service.access,
    listen: { host: '127.0.0.1', port: 0, setting: 'listen.query' },
    log: silentLog,
    metrics: new Metrics(),
  });
  try {
    const url = `http://127.0.0.1:${reader.port}/api`;
    const answer = await fetch(`${url}/archive/${traceId(7)}`, { method: 'POST' });
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /"msg":"archive span storage was not configured"/);
    assert.equal((await fetch(`${url}/traces/${traceId(7)}`)).status, 200);
  } finally {
    await reader.stop(1000);
  }
});
