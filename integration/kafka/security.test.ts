import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Authority, type Identity } from '../harness/authority.ts';
import { ClickHouseFront } from '../harness/clickhouse_front.ts';
import { eventually } from '../harness/eventually.ts';
import { httpExporter } from '../harness/exporter.ts';
import { secured } from '../harness/kafka/security.ts';
import { type Kafka, startKafka } from '../harness/kafka.ts';
import { encodeRequest, traceOf } from '../harness/otlp.ts';
import { runSpanhouse, Spanhouse, temporaryDirectory } from '../harness/spanhouse.ts';

const USER = 'spanhouse';
const PASSWORD = 'correct-horse';
const SPANS = 8;
const HEAL_MS = 60_000;
const ENV = { SPANHOUSE_KAFKA_SASL_PASSWORD: PASSWORD };

/** One topic for all: whatever the way in, an ingester by yet another way stores it. */
describe('brokers that speak TLS and ask who is there', () => {
  let folder: string;
  let authority: Authority;
  let client: Identity;
  let kafka: Kafka;
  let clickhouse: ClickHouseFront;
  const topic = `secure-${process.pid}`;
  before(async () => {
    folder = await temporaryDirectory();
    authority = await Authority.create(folder);
    client = await authority.issue('client');
    kafka = await startKafka({ security: await secured(authority, USER, PASSWORD) });
    clickhouse = await ClickHouseFront.start();
  });
  after(async () => {
    await clickhouse?.stop();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const common = (): string[] => [
    `--kafka-topic=${topic}`,
    `--kafka-dead-letter-topic=${topic}-dead`,
    '--kafka-replication=1',
    '--kafka-tls=true',
    `--kafka-tls-ca=${authority.ca}`,
  ];
  const byPassword = (mechanism: string): string[] => [
    ...common(),
    `--kafka-brokers=${kafka.bootstrap}`,
    `--kafka-sasl-mechanism=${mechanism}`,
    `--kafka-sasl-user=${USER}`,
  ];
  const byCertificate = (): string[] => [
    ...common(),
    `--kafka-brokers=${kafka.mutual}`,
    `--kafka-tls-cert=${client.cert}`,
    `--kafka-tls-key=${client.key}`,
  ];

  async function publish(flags: readonly string[]): Promise<void> {
    const collector = await Spanhouse.start({ role: 'collector', flags, env: ENV });
    try {
      const exporter = httpExporter(collector.otlpHttp);
      const outcome = await exporter.export(encodeRequest(topic, traceOf(SPANS)));
      exporter.close();
      assert.equal(outcome.kind, 'ok');
    } finally {
      await collector.remove();
    }
  }

  async function stored(): Promise<number> {
    const [row] = await clickhouse.rows(
      `SELECT count() AS n FROM spanhouse.spans WHERE service = '${topic}'`,
    );
    return Number(row?.['n']);
  }

  it('take spans by PLAIN, SCRAM and certificate, from either driver, and give them back', async () => {
    await publish([...byPassword('plain'), '--kafka-driver=platformatic']);
    await publish([...byPassword('scram-sha-256'), '--kafka-driver=kafkajs']);
    await publish([...byCertificate(), '--kafka-driver=platformatic']);
    const wanted = 3 * SPANS;
    for (const flags of [byPassword('scram-sha-512'), byCertificate()]) {
      const more = [...flags, ...clickhouse.flags, `--kafka-group=${topic}`];
      const env = { ...ENV, ...clickhouse.env };
      const ingester = await Spanhouse.start({ role: 'ingester', flags: more, env });
      await eventually(`${wanted} spans stored`, HEAL_MS, async () =>
        (await stored()) === wanted ? true : undefined,
      );
      await ingester.stop();
      await ingester.remove();
      const lag = await runSpanhouse(['lag', ...more], env);
      assert.equal(lag.code, 0, lag.output);
      assert.match(lag.output, /lag records/);
    }
  });

  it('refuse a wrong password, an unknown authority and no certificate: said once, never OK', async () => {
    const wrong = { SPANHOUSE_KAFKA_SASL_PASSWORD: 'wrong' };
    const strangers = await Authority.create(await temporaryDirectory());
    const untrusting = byPassword('plain').map((flag) =>
      flag.startsWith('--kafka-tls-ca=') ? `--kafka-tls-ca=${strangers.ca}` : flag,
    );
    const anonymous = byCertificate().filter((flag) => !/tls-(cert|key)/.test(flag));
    const attempts = [
      { flags: byPassword('plain'), env: wrong },
      { flags: [...byPassword('scram-sha-256'), '--kafka-driver=kafkajs'], env: wrong },
      { flags: untrusting, env: ENV },
      { flags: [...anonymous, '--kafka-driver=kafkajs'], env: ENV },
    ];
    for (const { flags, env } of attempts) {
      const collector = await Spanhouse.spawn({ role: 'collector', flags, env });
      const exporter = httpExporter(collector.otlpHttp);
      const said = await eventually('it says what is wrong', HEAL_MS, () =>
        /Kafka cannot take records/.test(collector.log) ? collector.log : undefined,
      );
      const outcome = await exporter.export(encodeRequest(topic, traceOf(SPANS)));
      exporter.close();
      assert.equal(outcome.kind, 'retry');
      assert.ok(!said.includes(PASSWORD) && !said.includes('wrong'), 'a password is in the log');
      await collector.remove();
    }
  });
});
