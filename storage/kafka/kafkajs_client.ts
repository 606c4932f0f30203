// kafkajs, set up from our connection; also what topics are made and checked with.

import kafkajs from 'kafkajs';
import { CONNECT_MS, type KafkaConnection, REQUEST_MS, RETRY_MS } from './connection.ts';
import { quietKafkajs } from './quiet_kafkajs.ts';

/** Of one request, e.g. while a leader is being elected; then the whole client is opened anew. */
const RETRIES = 6;
const RETRY_MS_MAX = 1000;

/** Does not connect yet. Silent: what goes wrong comes back as an error. */
export function kafkajsClient(connection: KafkaConnection): kafkajs.Kafka {
  const { tls, sasl } = connection;
  quietKafkajs();
  return new kafkajs.Kafka({
    clientId: connection.clientId,
    brokers: [...connection.brokers],
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: RETRY_MS, maxRetryTime: RETRY_MS_MAX, retries: RETRIES },
    logLevel: kafkajs.logLevel.NOTHING,
    ...(tls === undefined ? {} : { ssl: tls }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
  });
}

function saslOf(sasl: NonNullable<KafkaConnection['sasl']>): kafkajs.SASLOptions {
  return { mechanism: sasl.mechanism, username: sasl.user, password: sasl.password };
}
