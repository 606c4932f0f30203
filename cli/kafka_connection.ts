// How to reach Kafka, from the settings.

import { readFileSync } from 'node:fs';
import type { Config } from '../service/config_schema.ts';
import type { KafkaConnection } from '../storage/kafka/connection.ts';

/** `role` tells our processes apart in brokers' logs. Throws Error with one plain sentence. */
export function kafkaConnection(config: Config, role: string): KafkaConnection {
  const { brokers, tls, sasl_mechanism: mechanism, sasl_user, sasl_password } = config.kafka;
  if (brokers.length === 0) {
    throw new Error(
      'kafka.brokers is not set: expected host:port of one or more brokers; without Kafka, ' +
        '`spanhouse all-in-one` does the same work in one process',
    );
  }
  return {
    brokers,
    clientId: `spanhouse-${role}`,
    ...(tls === 'true' ? { tls: tlsFiles(config) } : {}),
    ...(mechanism === 'none'
      ? {}
      : { sasl: { mechanism, user: sasl_user, password: sasl_password } }),
  };
}

function tlsFiles({ kafka }: Config): NonNullable<KafkaConnection['tls']> {
  const files: { ca?: string; cert?: string; key?: string } = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const file = kafka[`tls_${name}`];
    if (file !== '') files[name] = readPem(file, `kafka.tls_${name}`);
  }
  return files;
}

function readPem(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'it cannot be read';
    throw new Error(`${setting} names ${file}, which cannot be read (${why})`, { cause });
  }
}
