// npm run cluster: Kafka, ClickHouse and our three services on this machine, as separate processes,
// on the ports that users know. For looking at; the data goes when it ends.
import { once } from 'node:events';
import { ClickHouseFront } from './harness/clickhouse_front.ts';
import { type Kafka, startKafka } from './harness/kafka.ts';
import { type Options, type Ports, Spanhouse } from './harness/spanhouse.ts';

/** The usual ports; metrics and health of a second and third process are counted up. */
const PORTS: Ports = {
  otlpGrpc: 4317,
  otlpHttp: 4318,
  zipkin: 9411,
  query: 16686,
  metrics: 8888,
  health: 13133,
};

const parts: { readonly name: string; readonly stop: () => Promise<void> }[] = [];
const asked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
let failed = false;
try {
  await Promise.race([start(), asked]);
  await asked;
} catch (error) {
  failed = true;
  console.error(error instanceof Error ? error.message : String(error));
}
for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
  console.log(`stopping ${part.name}`);
  await part.stop().catch((error: unknown) => console.error(String(error)));
}
process.exit(failed ? 1 : 0);

async function start(): Promise<void> {
  const kafka = await started('Kafka', await startKafka());
  const clickhouse = await started('ClickHouse', await ClickHouseFront.start());
  const flags = kafkaFlags(kafka);
  const { env } = clickhouse;
  await role('collector', 0, { flags });
  await role('ingester', 1, { env, flags: [...flags, ...clickhouse.flags] });
  await role('query', 2, { env, flags: clickhouse.flags });
  console.log(`
Spans go to localhost:4317 (gRPC) and localhost:4318 (HTTP), as \`npm run demo\` sends them;
questions go to localhost:16686. Kafka is at ${kafka.bootstrap}: how far the ingester is behind says
  npx spanhouse lag --kafka-brokers ${kafka.bootstrap}
Ctrl-C stops everything and removes the data.`);
}

function kafkaFlags(kafka: Kafka): string[] {
  return [`--kafka-brokers=${kafka.direct}`, '--kafka-replication=1'];
}

async function role(
  name: 'collector' | 'ingester' | 'query',
  place: number,
  options: Options,
): Promise<void> {
  const ports = { ...PORTS, metrics: PORTS.metrics + place, health: PORTS.health + place };
  const process = await Spanhouse.start({ ...options, role: name, ports });
  parts.push({
    name,
    stop: async () => {
      await process.stop();
      await process.remove();
    },
  });
  console.log(`${name} is ready, metrics at localhost:${ports.metrics}/metrics`);
}

async function started<P extends { stop(): Promise<void> }>(name: string, part: P): Promise<P> {
  parts.push({ name, stop: () => part.stop() });
  console.log(`${name} is ready`);
  return part;
}
