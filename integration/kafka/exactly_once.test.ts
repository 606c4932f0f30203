import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../harness/eventually.ts';
import { quietClient, readTopic } from '../harness/kafka_topic.ts';
import { encodeRequest, traceOf } from '../harness/otlp.ts';
import { Prng, seedFromEnvironment } from '../harness/prng.ts';
import { Backends } from './backends.ts';
import { Cluster, counter, SESSION_MS } from './cluster_rig.ts';

const KILLS = 10;
/** An ingester that was just started is killed within so long, mostly amid a range. */
const MOMENT_MS_MAX = 1_500;
const HEAL_MS = 60_000;
const STORED = 'spanhouse_spans_stored_total';
const REPLAYS = 'spanhouse_range_replays_total';

const random = new Prng(seedFromEnvironment());

/** One cluster for all: what one test leaves behind must not hurt the next. */
describe('exactly once into ClickHouse', () => {
  let backends: Backends;
  let cluster: Cluster;
  before(async () => {
    backends = await Backends.start();
    cluster = await Cluster.on(backends, `once-${process.pid}`);
  });
  after(async () => {
    await cluster?.stop();
    await backends?.stop();
  });

  it(`F03, F12: keeps each span once while ingester (${KILLS} times) and store are killed`, async (t) => {
    t.diagnostic(`TEST_SEED=${random.seed}`);
    const load = cluster.load();
    let replays = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      const ingester = await cluster.ingester({ instance: 'one' });
      await eventually('it stores', HEAL_MS, async () =>
        (await counter(ingester, STORED)) > 0 ? true : undefined,
      );
      await sleep(random.int(0, MOMENT_MS_MAX));
      if (kill % 5 === 0) cluster.clickhouse.killEngine();
      replays += await counter(ingester, REPLAYS);
      await ingester.kill();
    }
    await load.stop();
    const last = await cluster.ingester({ instance: 'one' });
    await cluster.assertExactlyOnce(load);
    assert.equal(load.retries, 0);
    assert.ok(replays > 0, 'no kill fell between an intent and its commit');
    t.diagnostic(`${load.acknowledged.length} requests, ${replays} replays`);
    await last.stop();
  });

  it('F05: keeps each span once when an ingester sleeps past its session and wakes up', async () => {
    const load = cluster.load();
    const first = await cluster.ingester();
    await eventually('it stores', HEAL_MS, async () =>
      (await counter(first, STORED)) > 0 ? true : undefined,
    );
    process.kill(first.pid, 'SIGSTOP');
    const second = await cluster.ingester();
    await eventually('the other one takes over', HEAL_MS, async () =>
      (await counter(second, STORED)) > 0 ? true : undefined,
    );
    await sleep(SESSION_MS);
    process.kill(first.pid, 'SIGCONT');
    await sleep(2 * SESSION_MS);
    await load.stop();
    await cluster.assertExactlyOnce(load);
    // Leaving is quick: no session has to run out before the others go on.
    await second.stop();
    const more = cluster.load();
    await sleep(1_000);
    await more.stop();
    await cluster.assertExactlyOnce(more);
    await first.stop();
  });

  it('F16: buries poison with its reason and place, and its neighbours go on', async () => {
    const producer = quietClient(cluster.kafka.direct).producer();
    await producer.connect();
    const good = encodeRequest(cluster.topic, traceOf(8));
    const half = Buffer.from(good.subarray(0, good.length >> 1));
    const values = [Buffer.from(good), Buffer.from('garbage'), half, Buffer.alloc(0), null];
    const before = await cluster.count();
    await producer.send({
      topic: cluster.topic,
      acks: -1,
      messages: values.map((value) => ({ value, partition: 1 })),
    });
    await producer.disconnect();
    const ingester = await cluster.ingester();
    await cluster.drained();
    assert.equal((await cluster.count()).rows, before.rows + 8);
    const letters = await readTopic(cluster.kafka.direct, `${cluster.topic}-dead`);
    const reasons = letters.map(({ headers }) => headers['spanhouse.reason']);
    assert.deepEqual(reasons.sort(), ['empty', 'empty', 'malformed', 'malformed']);
    assert.ok(letters.every(({ headers }) => headers['spanhouse.source.partition'] === '1'));
    const listed = await cluster.run('deadletters', 'list');
    const keys = [...listed.output.matchAll(/^\S+:1:\d+(?= )/gm)].map(([key]) => key);
    assert.equal(keys.length, 4, listed.output);
    assert.equal((await cluster.run('deadletters', 'drop', keys[0] ?? '')).code, 0);
    assert.equal((await cluster.run('deadletters', 'replay', keys[1] ?? '')).code, 0);
    // It is as dead as before, under another offset.
    await cluster.drained();
    const again = await cluster.run('deadletters', 'list');
    assert.equal([...again.output.matchAll(/^\S+:1:\d+(?= )/gm)].length, 3, again.output);
    assert.ok(!again.output.includes(`${keys[0]} `) && !again.output.includes(`${keys[1]} `));
    const lag = await cluster.run('lag');
    assert.equal(lag.code, 0, lag.output);
    assert.match(lag.output, /lag records/);
    assert.match(lag.output, /dead letters/);
    await ingester.stop();
  });

  it('goes on by itself when the broker is restarted', async () => {
    const load = cluster.load();
    const ingester = await cluster.ingester();
    await eventually('it stores', HEAL_MS, async () =>
      (await counter(ingester, STORED)) > 0 ? true : undefined,
    );
    await cluster.kafka.kill(1);
    await cluster.kafka.restart(1);
    const acknowledged = load.acknowledged.length;
    await eventually('senders go on', HEAL_MS, () =>
      load.acknowledged.length > acknowledged + 20 ? true : undefined,
    );
    await load.stop();
    await cluster.assertExactlyOnce(load);
    await ingester.stop();
  });
});
