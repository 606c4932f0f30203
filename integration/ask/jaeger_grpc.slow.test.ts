// Jaeger's gRPC query API asked by the Go client that Jaeger publishes. Slow, as the client has to be
// compiled first; the same API is tried by a client of proto/ in query/api/jaeger/grpc.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { call } from '../harness/http.ts';
import { freePorts } from '../harness/ports.ts';
import { Spanhouse } from '../harness/spanhouse.ts';
import { haveToolchain } from '../harness/toolchain.ts';
import { testData } from './transcript.ts';

const run = promisify(execFile);

/** gRPC for Go takes a minute to compile on a small machine. */
const BUILD_MS = 600_000;
const TRACE = '5b8efff798038103d269b633813fc60c';

interface Told {
  readonly services: readonly string[];
  readonly operations: readonly { name: string; span_kind: string }[];
  readonly trace: readonly {
    operation_name: string;
    process: { service_name: string };
    tags: readonly { key: string }[] | null;
  }[];
  readonly found: number;
  readonly dependencies: readonly { parent: string; child: string; call_count: number }[];
  readonly archived: string;
  readonly missing: string;
  readonly health: string;
  readonly reflected: readonly string[];
}

test('Jaeger’s own Go client reads services, operations, traces and calls', async (t) => {
  if (!haveToolchain(t, 'go', ['version'])) return;
  const directory = await mkdtemp(join(tmpdir(), 'spanhouse-ask-'));
  const program = join(directory, 'ask');
  const [port = 0] = await freePorts(1);
  let spanhouse: Spanhouse | undefined;
  try {
    await run('go', ['build', '-o', program, '.'], {
      cwd: fileURLToPath(new URL('./go/', import.meta.url)),
      timeout: BUILD_MS,
    });
    const flags = [`--listen-query-grpc=${port}`, '--retention=3650d'];
    spanhouse = await Spanhouse.start({ flags });
    const sent = await call(`${spanhouse.otlpHttp}/v1/traces`, {
      body: testData('spans.json'),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(sent.status, 200, sent.body.toString());
    const { stdout } = await run(program, [`127.0.0.1:${port}`, TRACE]);
    check(JSON.parse(stdout) as Told);
    await spanhouse.stop();
  } finally {
    await spanhouse?.remove();
    await rm(directory, { recursive: true, force: true });
  }
});

function check(told: Told): void {
  assert.deepEqual(told.services, ['frontend', 'orders']);
  assert.deepEqual(told.operations, [
    { name: 'POST /orders', span_kind: 'server' },
    { name: 'SELECT stock', span_kind: 'client' },
  ]);
  assert.deepEqual(
    told.trace.map((span) => `${span.process.service_name}: ${span.operation_name}`),
    [
      'frontend: GET /checkout',
      'frontend: POST /orders',
      'orders: POST /orders',
      'orders: SELECT stock',
    ],
  );
  assert.ok(told.trace[0]?.tags?.some(({ key }) => key === 'http.route'));
  assert.equal(told.found, 4);
  assert.deepEqual(told.dependencies, [{ parent: 'frontend', child: 'orders', call_count: 1 }]);
  assert.equal(told.archived, 'OK');
  assert.equal(told.missing, 'NotFound: trace not found');
  assert.equal(told.health, 'SERVING');
  for (const name of ['jaeger.api_v2.QueryService', 'jaeger.api_v3.QueryService']) {
    assert.ok(told.reflected.includes(name), told.reflected.join());
  }
}
