import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { asked, Backends } from './backends.ts';
import { Cluster } from './cluster_rig.ts';
import { storing, suffer } from './suffer.ts';

/** The fault matrix: retryable errors for at most so long. */
const REFUSED_MS_MAX = 30_000;
/** A dead broker stays away for so long, under load. */
const AWAY_MS = 8_000;

describe('three brokers', () => {
  let backends: Backends;
  before(async () => {
    backends = await Backends.start({ kafka: { brokers: 3 } });
  });
  after(() => backends?.stop());

  async function brokerKilled(which: string, find: (topic: string) => Promise<number>) {
    const cluster = await Cluster.on(backends, `f06-${which}-${process.pid}`);
    const ingester = await cluster.ingester();
    const { load } = await suffer(
      cluster,
      { id: 'F06', fault: `${which} of three killed` },
      async () => {
        await storing(ingester);
        const broker = await find(cluster.topic);
        await backends.kafka.kill(broker);
        await sleep(AWAY_MS);
        await backends.kafka.restart(broker);
      },
    );
    assert.ok(load.longestRefusalMs < REFUSED_MS_MAX, `refused for ${load.longestRefusalMs} ms`);
    await cluster.stop();
  }

  it('F06: the leader of a partition is killed under load', () => brokerKilled('leader', leader));

  it('F06: the controller is killed under load', () => brokerKilled('controller', controller));

  it("F06: the coordinator of the ingesters' group is killed under load", () =>
    brokerKilled('coordinator', coordinator));

  async function leader(topic: string): Promise<number> {
    const { topics } = await asked(backends.kafka.direct, (admin) =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    );
    return topics[0]?.partitions[0]?.leader ?? 0;
  }

  async function controller(): Promise<number> {
    return (await asked(backends.kafka.direct, (admin) => admin.describeCluster())).controller ?? 0;
  }

  /** The leader of the one partition in which groups are kept. */
  function coordinator(): Promise<number> {
    return leader('__consumer_offsets');
  }
});
