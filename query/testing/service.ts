// For tests: the query service as it runs, on a loopback port, above the embedded engine.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_TENANT } from '../../model/limits.ts';
import type { Span } from '../../model/span.ts';
import type { Clock } from '../../service/clock.ts';
import { silentLog } from '../../service/log.ts';
import { Metrics } from '../../service/metrics.ts';
import { ClickHouseArchive } from '../../storage/clickhouse/archive.ts';
import type { ClickHouseAccess } from '../../storage/clickhouse/client.ts';
import { ClickHouseSpanStore } from '../../storage/clickhouse/insert.ts';
import { migrate } from '../../storage/clickhouse/migrate.ts';
import { type Embedded, startEmbedded } from '../../storage/embedded/supervisor.ts';
import { startQuery } from '../server.ts';
import { blocksOf } from './engine.ts';
import { NOON } from './spans.ts';

/** The tenant whose service `TestService.other` is. */
export const OTHER_TENANT = 'other';

export interface TestService {
  readonly access: ClickHouseAccess;
  readonly port: number;
  readonly grpcPort: number;
  /** The same store, asked for OTHER_TENANT. */
  readonly other: {
    readonly port: number;
    readonly grpcPort: number;
    get: TestService['get'];
  };
  insert(spans: readonly Span[], tenant?: string): Promise<void>;
  get(path: string, init?: RequestInit): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed body; fails where it is not JSON. */
  json(): Envelope;
}

export interface Envelope {
  readonly data: readonly JaegerTrace[];
  readonly total: number;
  readonly errors: readonly { code?: number; msg: string; traceID?: string }[] | null;
}

export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Record<string, { serviceName: string; tags: JaegerTag[] }>;
  readonly warnings: readonly string[] | null;
}

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly startTime: number;
  readonly duration: number;
  readonly references: readonly { refType: string; traceID: string; spanID: string }[];
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { timestamp: number; fields: JaegerTag[] }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

export interface JaegerTag {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

/** An hour after noon, so that all test spans lie in the default window. */
const clock: Pick<Clock, 'nowMs'> = { nowMs: () => Number(NOON / 1_000_000n) + 3_600_000 };

export async function startTestService(): Promise<TestService> {
  const directory = mkdtempSync(join(tmpdir(), 'spanhouse-query-'));
  const engine = await startEmbedded({ dataDir: join(directory, 'data') });
  try {
    return await serve(engine, directory);
  } catch (error) {
    // Its child would keep a failed test from ending.
    await engine.stop();
    throw error;
  }
}

async function serve(engine: Embedded, directory: string): Promise<TestService> {
  await migrate({
    client: await engine.access.ingest(),
    database: engine.access.database,
    retentionDays: 3650,
  });
  const store = new ClickHouseSpanStore(engine.access);
  const start = (tenant: string): ReturnType<typeof startQuery> =>
    startQuery({
      access: engine.access,
      listen: { host: '127.0.0.1', port: 0, setting: 'listen.query' },
      grpc: { listen: { host: '127.0.0.1', port: 0, setting: 'listen.query_grpc' } },
      log: silentLog,
      metrics: new Metrics(),
      clock: { ...clock, monotonicMs: () => performance.now(), sleep: () => Promise.resolve() },
      tenant,
      archive: new ClickHouseArchive(engine.access),
    });
  const service = await start(DEFAULT_TENANT);
  const other = await start(OTHER_TENANT);
  return {
    access: engine.access,
    port: service.port,
    grpcPort: service.grpc?.port ?? 0,
    other: {
      port: other.port,
      grpcPort: other.grpc?.port ?? 0,
      get: (path, init) => getFrom(other.port, path, init),
    },
    insert: async (spans, tenant = DEFAULT_TENANT) => {
      for (const block of blocksOf(spans, tenant)) {
        const token = createHash('sha256').update(block.native).digest('hex');
        await store.insert({ ...block, token: `${token}-${tokens++}` });
      }
    },
    get: (path, init) => getFrom(service.port, path, init),
    stop: async () => {
      await Promise.all([service.stop(1000), other.stop(1000)]);
      await engine.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function getFrom(port: number, path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init ?? {});
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, json: () => JSON.parse(text) as Envelope };
}

/** Each insert under its own token, so that the same rows can be sent twice. */
let tokens = 0;

/**
 * The service as it is, but that each insert is also one of OTHER_TENANT: spans of the same ids,
 * services and times, which do and say something else. Whatever a test reads has to be without them.
 */
export function amongOthers(service: TestService): TestService {
  return {
    ...service,
    insert: async (spans, tenant) => {
      await service.insert(spans, tenant);
      if (tenant !== undefined) return;
      const others = spans.map((span) => ({
        ...span,
        name: 'not yours',
        kind: 5 as const,
        statusCode: 2 as const,
        durationNanos: span.durationNanos + 1n,
        attributes: [{ key: 'secret', value: { type: 'string', value: 'of others' } as const }],
      }));
      await service.insert(others, OTHER_TENANT);
    },
  };
}
