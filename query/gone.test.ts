import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { status } from '@grpc/grpc-js';
import { silentLog } from '../service/log.ts';
import { Metrics } from '../service/metrics.ts';
import { startTestEngine, type TestEngine } from '../storage/embedded/testing.ts';
import { type QueryListeners, startQuery } from './server.ts';
import { grpcClient } from './testing/jaeger_grpc.ts';

const SLOW = 'SELECT toString(count()) AS service FROM numbers(100000000000) WHERE number % 7 = 3';

let engine: TestEngine;
let service: QueryListeners;
before(async () => {
  engine = await startTestEngine();
  const { access } = engine.embedded;
  service = await startQuery({
    access: {
      database: access.database,
      // Every statement takes minutes, as those of a huge store would.
      query: async () => {
        const client = await access.query();
        const exec: ClickHouseClient['exec'] = (parameters) =>
          client.exec({ ...parameters, query: `${SLOW} FORMAT Native`, query_params: {} });
        return new Proxy(client, {
          get: (target, name) => (name === 'exec' ? exec : Reflect.get(target, name)),
        });
      },
    },
    listen: { host: '127.0.0.1', port: 0, setting: 'listen.query' },
    grpc: { listen: { host: '127.0.0.1', port: 0, setting: 'listen.query_grpc' } },
    log: silentLog,
    metrics: new Metrics(),
  });
});
after(async () => {
  await service.stop(1000);
  await engine[Symbol.asyncDispose]();
});

async function running(): Promise<number> {
  const rows = await engine.rows(
    "SELECT query FROM system.processes WHERE query LIKE '%numbers(100000000000)%' " +
      "AND query NOT LIKE '%system.processes%'",
  );
  return rows.length;
}

/** Whether it becomes `wanted` within ten seconds. */
async function becomes(wanted: number): Promise<boolean> {
  const start = performance.now();
  while (performance.now() - start < 10_000) {
    if ((await running()) === wanted) return true;
    await sleep(50);
  }
  return false;
}

for (const path of [
  '/api/services',
  '/api/traces/1',
  '/api/traces?service=a',
  '/api/dependencies',
  '/api/x/contributions?service=a',
]) {
  test(`when the caller of ${path} goes away, the engine stops working for it`, async () => {
    const request = get({ host: '127.0.0.1', port: service.port, path });
    request.on('error', () => undefined);
    assert.ok(await becomes(1), 'it began');
    request.destroy();
    assert.ok(await becomes(0), 'it ended');
  });
}

for (const [method, request] of [
  ['GetServices', {}],
  ['GetTrace', { trace_id: '1' }],
] as const) {
  test(`when the deadline of ${method} has passed, the engine stops working for it`, async () => {
    const client = grpcClient(service.grpc?.port ?? 0, 'jaeger.api_v3.QueryService');
    const call = client.call(method, request, 2_000);
    const isOver = assert.rejects(call, { code: status.DEADLINE_EXCEEDED });
    assert.ok(await becomes(1), 'it began');
    await isOver;
    assert.ok(await becomes(0), 'it ended');
    client.close();
  });
}
