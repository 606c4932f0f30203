// Kafka between services, by OpenTelemetry's messaging conventions. A consumer's span hangs below
// the producer's and links to it, and begins only after the message has waited: it outlives its
// parent.

import type { Operation } from './operation.ts';
import type { ServiceName } from './pods.ts';

const PARTITIONS = 6;

export interface Message {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly producer: Operation;
}

export function publish(caller: Operation, topic: string): Message {
  const partition = caller.random.below(PARTITIONS);
  const offset = 100_000 + caller.random.below(900_000);
  const start = {
    name: `send ${topic}`,
    kind: 4 as const,
    library: 'kafka' as const,
    attributes: {
      ...messageAttributes(topic, partition, offset),
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.message.body.size': 300 + caller.random.below(1500),
    },
  };
  const producer = caller.child(start, (client) => client.work(3));
  return { topic, partition, offset, producer };
}

/** `waitMedianMs`: how long the message lies in the topic before this service takes it. */
export function consume(
  message: Message,
  service: ServiceName,
  waitMedianMs: number,
  handler: (consumer: Operation) => void,
): void {
  const { topic, partition, offset, producer } = message;
  const { random, trace } = producer;
  const waitNanos = random.logNormal(waitMedianMs, 0.6) * 1e6;
  const start = {
    name: `process ${topic}`,
    kind: 5 as const,
    library: 'kafka' as const,
    attributes: {
      ...messageAttributes(topic, partition, offset),
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': service,
    },
  };
  const pod = random.pick(trace.pods[service]);
  const consumer = trace.start(producer, pod, start, producer.nowNanos + waitNanos);
  consumer.link(producer);
  handler(consumer);
}

function messageAttributes(topic: string, partition: number, offset: number) {
  return {
    'messaging.system': 'kafka',
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': String(partition),
    'messaging.kafka.offset': offset,
    'server.address': 'kafka.shop.svc.cluster.local',
    'server.port': 9092,
  };
}
