// `spanhouse collector`: receivers → accept → Kafka. Senders hear OK when every replica has it.

import { startCollector } from '../collector/collector.ts';
import { refusing } from '../collector/refusing.ts';
import { loadTranscoder } from '../model/codec/otlp/transcoder.ts';
import { startBufferGarbage } from '../service/buffer_garbage.ts';
import { type Command, helpPage } from './command.ts';
import { kafkaConnection } from './kafka_connection.ts';
import { runProcess } from './process.ts';
import { publishableBytes, startPublisher } from './publisher_part.ts';

export const collector: Command = {
  help: () =>
    helpPage({
      usage: 'collector --kafka-brokers HOST:PORT,… [settings]',
      about:
        'Receives spans as all-in-one does, and publishes them to Kafka instead of storing them.\n' +
        'Senders hear OK when Kafka has acknowledged their spans on every in-sync replica.',
      settings: [
        'listen',
        'http',
        'tls',
        'limits',
        'memory',
        'retention',
        'kafka',
        'log',
        'shutdown',
      ],
    }),
  run: (context) =>
    runProcess(context, 'collector', async (deps) => {
      const connection = kafkaConnection(deps.config, 'collector');
      await deps.life.start('buffer garbage', startBufferGarbage);
      const transcoder = await loadTranscoder();
      // gRPC's health is opened after the publisher, and follows it from then on.
      let setServing = (_: boolean): void => {};
      const publisher = await startPublisher(deps, connection, (serving) => setServing(serving));
      const receivers = await startCollector({
        ...deps,
        transcoder,
        publish: refusing((record) => publisher.publish(record)),
        recordBytesMax: publishableBytes(deps.config.kafka.record_bytes),
      });
      setServing = receivers.setServing;
      setServing(publisher.trouble === undefined);
      return {
        'otlp grpc': receivers.otlpGrpc,
        'otlp http': receivers.otlpHttp,
        zipkin: receivers.zipkin,
        jaeger: receivers.jaeger,
        sampling: receivers.sampling,
      };
    }),
};
