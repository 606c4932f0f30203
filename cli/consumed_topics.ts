// What ingesters read: our own topic, and those of others that the settings name.

import type { Encoding } from '../model/codec/encoding.ts';
import type { Config } from '../service/config_schema.ts';

export interface ConsumedTopic {
  readonly topic: string;
  /** Each topic has a consumer group of its own: one that is missing holds up no other. */
  readonly group: string;
  readonly encoding: Encoding;
  /** Undefined: as the headers of a record say. */
  readonly tenant: string | undefined;
  /** Our own topic, which may be created. */
  readonly isOurs: boolean;
}

/** Our own first. Throws Error with one plain sentence where a foreign one is ours. */
export function consumedTopics({ kafka, ingester }: Config): readonly ConsumedTopic[] {
  const own: ConsumedTopic = {
    topic: kafka.topic,
    group: kafka.group,
    encoding: 'otlp_proto',
    tenant: ingester.foreign_tenant === '' ? undefined : ingester.foreign_tenant,
    isOurs: true,
  };
  const foreign = kafka.foreign_topics.map((one) => {
    for (const setting of ['topic', 'dead_letter_topic'] as const) {
      if (one.topic !== kafka[setting]) continue;
      throw new Error(
        `kafka.foreign_topics names ${one.topic}, which is kafka.${setting}: expected a topic ` +
          'that others write',
      );
    }
    return { ...one, group: `${kafka.group}.${one.topic}`, isOurs: false };
  });
  return [own, ...foreign];
}
