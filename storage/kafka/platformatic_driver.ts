// @platformatic/kafka 2.12.1: the faster client. An idempotent producer tries again for ever by
// default, under the same sequence numbers; the publisher ends that by closing it.

import { type MessageToProduce, Producer, type ProducerOptions } from '@platformatic/kafka';
import {
  CONNECT_MS,
  type KafkaConnection,
  REQUEST_MS,
  RETRY_MS,
  type SaslMechanism,
} from './connection.ts';
import type { Driver, Message } from './driver.ts';
import type { DriverOptions } from './kafkajs_driver.ts';

/** Ends before the publisher gives up, so that the reason is the client's own. */
const RETRIES = 20;

/** Connects, takes a producer id, reads the topic. Rejects when one of them fails. */
export async function openPlatformatic(options: DriverOptions): Promise<Driver> {
  const { topic } = options;
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
    ...platformaticOptions(options.connection),
    idempotent: true,
    acks: -1,
    autocreateTopics: false,
    compression: options.compression,
    retries: RETRIES,
  } satisfies ProducerOptions<Buffer, Buffer, Buffer, Buffer>);
  const close = async (): Promise<void> => {
    await producer.close(true).catch(() => undefined);
  };
  try {
    const metadata = await producer.metadata({ topics: [topic] });
    await producer.initIdempotentProducer({});
    return {
      partitions: metadata.topics.get(topic)?.partitionsCount ?? 0,
      close,
      send: async (messages) => {
        await producer.send({
          messages: messages.map((message) => toPlatformatic(topic, message)),
        });
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What every client of this library needs. */
export function platformaticOptions(connection: KafkaConnection) {
  const { tls, sasl } = connection;
  return {
    clientId: connection.clientId,
    bootstrapBrokers: [...connection.brokers],
    connectTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    timeout: REQUEST_MS,
    retryDelay: RETRY_MS,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: SASL[sasl.mechanism],
            username: sasl.user,
            password: sasl.password,
          },
        }),
  };
}

const SASL = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const satisfies Record<SaslMechanism, string>;

type Produced = MessageToProduce<Buffer, Buffer, Buffer, Buffer>;

function toPlatformatic(topic: string, message: Message): Produced {
  const { value } = message;
  return {
    topic,
    partition: message.partition,
    value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    headers: new Map(message.headers.map(([name, text]) => [bufferOf(name), Buffer.from(text)])),
    timestamp: BigInt(message.timestampMs),
  };
}

/** Header names are three in all: made once, not once a record. */
const names = new Map<string, Buffer>();

function bufferOf(name: string): Buffer {
  let buffer = names.get(name);
  if (buffer === undefined) {
    buffer = Buffer.from(name);
    names.set(name, buffer);
  }
  return buffer;
}
