// Topics that others write: every encoding, one tenant each, exactly once, nothing of theirs touched.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Message } from 'kafkajs';
import { eventually } from '../harness/eventually.ts';
import { FOREIGN_FORMS, type ForeignSpan } from '../harness/foreign_messages.ts';
import { quietClient, readTopic } from '../harness/kafka_topic.ts';
import { fetchMetrics } from '../harness/metrics.ts';
import { type Finished, runSpanhouse, Spanhouse } from '../harness/spanhouse.ts';
import { asked, Backends } from './backends.ts';

const HEAL_MS = 60_000;
const ROUNDS = 2;
const PARTITIONS = 2;

/** What our own topic would believe, and a foreign one must not. */
const LIES = { 'spanhouse.version': '9', 'spanhouse.tenant': 'someone-else' };

describe('topics that others write', () => {
  const name = `foreign-${process.pid}`;
  let backends: Backends;
  let topics: readonly { readonly topic: string; readonly encoding: string }[];
  const all: Spanhouse[] = [];
  afterEach(async () => {
    for (const one of all.splice(0)) await one.remove();
  });
  before(async () => {
    backends = await Backends.start();
    topics = [...new Set(Object.keys(FOREIGN_FORMS).map(encodingOf))].map((encoding) => ({
      topic: `${name}-${encoding}`,
      encoding,
    }));
    await createTopics(topics.map(({ topic }) => topic));
  });
  after(() => backends?.stop());

  function createTopics(names: readonly string[]): Promise<boolean> {
    const wanted = names.map((topic) => ({ topic, numPartitions: PARTITIONS }));
    return asked(backends.kafka.direct, (admin) => admin.createTopics({ topics: wanted }));
  }

  function flags(more: readonly string[] = []): string[] {
    const foreign = [
      ...topics.map((one) => `${one.topic}:${one.encoding}:of-${one.encoding}`),
      ...more,
    ];
    return [
      `--kafka-brokers=${backends.kafka.direct}`,
      `--kafka-topic=${name}`,
      '--kafka-replication=1',
      `--kafka-group=${name}`,
      `--kafka-dead-letter-topic=${name}-dead`,
      `--kafka-foreign-topics=${foreign.join(',')}`,
    ];
  }

  async function ingester(more: readonly string[] = []): Promise<Spanhouse> {
    const session = '--ingester-session-time=3s';
    const own = [...flags(more), ...backends.clickhouse.flags, session, '--ingester-instance=one'];
    const { env } = backends.clickhouse;
    const one = await Spanhouse.start({ role: 'ingester', env, flags: own });
    all.push(one);
    return one;
  }

  function run(...command: readonly string[]): Promise<Finished> {
    const args = [...command, ...flags(), ...backends.clickhouse.flags];
    return runSpanhouse(args, backends.clickhouse.env);
  }

  async function send(topic: string, messages: readonly Message[]): Promise<void> {
    const producer = quietClient(backends.kafka.direct).producer();
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [...messages] });
    await producer.disconnect();
  }

  /** Rows of a service: its spans by id and tenant. */
  async function stored(service: string): Promise<string[]> {
    const rows = await backends.clickhouse.rows(
      "SELECT lower(leftPad(hex(span_id), 16, '0')) AS span, tenant FROM spanhouse.spans " +
        `WHERE service = '${service}' ORDER BY span`,
    );
    return rows.map((row) => `${row['span']} ${row['tenant']}`);
  }

  async function storedAll(service: string, count: number): Promise<string[]> {
    return eventually(`${count} spans of ${service}`, HEAL_MS, async () => {
      const rows = await stored(service);
      return rows.length >= count ? rows : undefined;
    });
  }

  it('are read in every encoding, each for its tenant, and headers mean nothing', async () => {
    const service = `${name}-every`;
    const expected: string[] = [];
    for (const [form, encode] of Object.entries(FOREIGN_FORMS)) {
      const span = spanOf(service, form);
      await send(`${name}-${encodingOf(form)}`, [{ value: encode(span), headers: LIES }]);
      expected.push(`${span.spanId} of-${encodingOf(form)}`);
    }
    const one = await ingester();
    assert.deepEqual(await storedAll(service, expected.length), expected.sort());
    for (const { topic } of topics) {
      // Counted when the ledger has it, which is after the rows.
      await eventually(`${topic} is counted`, HEAL_MS, async () => {
        const page = await fetchMetrics(one.metrics);
        assert.equal(page.sum('spanhouse_group_member', { topic }), 1, topic);
        return page.sum('spanhouse_records_consumed_total', { topic }) >= 1 ? true : undefined;
      });
    }
    await one.stop();
    const lag = await run('lag');
    assert.equal(lag.code, 0, lag.output);
    for (const { topic } of topics) assert.match(lag.output, new RegExp(`^${topic} `, 'm'));
  });

  it('keep each span once, though the ingester dies with inserts that were not answered', async () => {
    const service = `${name}-once`;
    const { proxy } = backends.clickhouse;
    const expected: string[] = [];
    let replays = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const victim = await ingester();
      proxy.dropReplies = true;
      const before = proxy.droppedBytes;
      for (const form of ['zipkin_json.v2', 'jaeger_proto']) {
        const spans = Array.from({ length: 20 }, (_, i) => spanOf(service, `${form} ${i}`));
        const value = FOREIGN_FORMS[form] ?? assert.fail(form);
        const messages = spans.map((span) => ({ value: value(span), headers: LIES }));
        await send(`${name}-${encodingOf(form)}`, messages);
        expected.push(...spans.map(({ spanId }) => `${spanId} of-${encodingOf(form)}`));
      }
      await eventually('an insert whose answer is lost', HEAL_MS, () =>
        proxy.droppedBytes > before ? true : undefined,
      );
      await victim.kill();
      proxy.heal();
      proxy.cut();
      const next = await ingester();
      await storedAll(service, expected.length);
      replays += (await fetchMetrics(next.metrics)).count('spanhouse_range_replays_total');
      await next.kill();
    }
    assert.deepEqual(await stored(service), expected.sort());
    assert.ok(replays >= ROUNDS, `${replays} replays`);
    const last = await ingester();
    await eventually('all is committed', HEAL_MS, async () => {
      const lag = await run('lag');
      // Exit 1 where an offset is lost, missing or in two ranges.
      const left = [...lag.output.matchAll(/^\S+ +\d+ +\S+ +\d+ +(\d+) /gm)].map(([, n]) =>
        Number(n),
      );
      return lag.code === 0 && left.every((records) => records === 0) ? true : undefined;
    });
    await last.stop();
  });

  it('have their dead letters go back as they came, key and headers too', async () => {
    const topic = `${name}-zipkin_json`;
    const headers = { 'spanhouse.done': 'replayed', b3: '0' };
    await send(topic, [{ key: 'k', value: 'poison', partition: 1, headers }]);
    const one = await ingester();
    const key = await eventually('the letter is listed', HEAL_MS, async () => {
      const { output } = await run('deadletters', 'list');
      return /^(\S+-zipkin_json:1:\d+) +malformed .* zipkin_json$/m.exec(output)?.[1];
    });
    assert.equal((await run('deadletters', 'replay', key)).code, 0);
    const again = (await readTopic(backends.kafka.direct, topic)).filter(({ value }) =>
      value.equals(Buffer.from('poison')),
    );
    assert.equal(again.length, 2);
    assert.deepEqual(again[1]?.headers, { b3: '0' });
    assert.equal(again[1]?.key, 'k');
    await one.stop();
  });

  it('are never created, are said to be missing, and are read once they are there', async () => {
    const missing = `${name}-late`;
    const one = await ingester([`${missing}:zipkin_json:late`]);
    await eventually('it says so', HEAL_MS, () =>
      one.log.includes(`the topic ${missing} is not there`) ? true : undefined,
    );
    assert.equal(
      (await fetchMetrics(one.metrics)).sum('spanhouse_group_member', { topic: missing }),
      0,
    );
    const there = await asked(backends.kafka.direct, (admin) => admin.listTopics());
    assert.ok(!there.includes(missing));
    await createTopics([missing]);
    const span = spanOf(`${name}-late`, 'late');
    const value = FOREIGN_FORMS['zipkin_json.v2']?.(span) ?? assert.fail();
    await send(missing, [{ value }]);
    assert.deepEqual(await storedAll(`${name}-late`, 1), [`${span.spanId} late`]);
    await one.stop();
  });
});

function encodingOf(form: string): string {
  return form.split('.', 1)[0] ?? '';
}

function spanOf(service: string, name: string): ForeignSpan {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { service, traceId, spanId, name };
}
