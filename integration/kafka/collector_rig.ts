// A collector process in front of a real Kafka, and the questions that its tests ask.
import assert from 'node:assert/strict';
import { Client, credentials } from '@grpc/grpc-js';
import { call } from '../harness/http.ts';
import type { Kafka } from '../harness/kafka.ts';
import { tracesInTopic } from '../harness/kafka_topic.ts';
import { type Load, SPANS_PER_TRACE } from '../harness/load.ts';
import { encodeRequest, traceOf } from '../harness/otlp.ts';
import { type Options, Spanhouse } from '../harness/spanhouse.ts';

let topics = 0;

/** Each test has a topic of its own. */
export function freshTopic(): string {
  topics++;
  return `spans-${process.pid}-${topics}`;
}

export function collectorOptions(kafka: Kafka, topic: string, flags: readonly string[] = []) {
  return {
    role: 'collector',
    flags: [
      `--kafka-brokers=${kafka.bootstrap}`,
      `--kafka-topic=${topic}`,
      '--kafka-replication=1',
      ...flags,
    ],
  } satisfies Options;
}

export function startCollector(
  kafka: Kafka,
  topic: string,
  flags: readonly string[] = [],
): Promise<Spanhouse> {
  return Spanhouse.start(collectorOptions(kafka, topic, flags));
}

/**
 * Promise P1 at the log: every acknowledged trace lies there whole. Answers how many spans lie there
 * more than once, which only repeated requests may cause.
 */
export async function assertAllInLog(kafka: Kafka, topic: string, load: Load): Promise<number> {
  const traces = await tracesInTopic(kafka.direct, topic);
  assert.deepEqual(load.refused, []);
  let repeated = 0;
  const lost = load.acknowledged.filter((id) => {
    const trace = traces.get(id);
    repeated += (trace?.spans ?? 0) - (trace?.distinct.size ?? 0);
    return trace?.distinct.size !== SPANS_PER_TRACE;
  });
  assert.deepEqual(lost.slice(0, 10), [], `${lost.length} acknowledged traces are not in the log`);
  return repeated;
}

export interface Probe {
  readonly status: number;
  readonly retryAfterSeconds: number;
  readonly ms: number;
}

/** One small request over HTTP, on a connection of its own. */
export async function probe(collector: Spanhouse): Promise<Probe> {
  const startMs = performance.now();
  const answer = await call(`${collector.otlpHttp}/v1/traces`, {
    body: encodeRequest('probe', traceOf(1)),
    headers: { 'content-type': 'application/x-protobuf' },
  });
  return {
    status: answer.status,
    retryAfterSeconds: Number(answer.headers['retry-after'] ?? Number.NaN),
    ms: performance.now() - startMs,
  };
}

/** grpc.health.v1.Health/Check of the whole server: 1 SERVING, 2 NOT_SERVING. */
export async function grpcHealth(collector: Spanhouse): Promise<number> {
  const client = new Client(collector.otlpGrpc, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  try {
    return await new Promise((resolve, reject) => {
      const path = '/grpc.health.v1.Health/Check';
      const deadline = Date.now() + 5000;
      client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), { deadline }, (error, reply) => {
        if (error !== null) reject(error);
        // HealthCheckResponse { 1 status }: one tag, one varint.
        else resolve(reply?.[1] ?? 0);
      });
    });
  } finally {
    client.close();
  }
}

export async function readiness(collector: Spanhouse): Promise<number> {
  return (await call(`${collector.health}/readyz`)).status;
}
