import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './harness/eventually.ts';
import { findDamage, Load, mixedExporters } from './harness/load.ts';
import { Prng, seedFromEnvironment } from './harness/prng.ts';
import { choosePorts, Spanhouse, temporaryDirectory } from './harness/spanhouse.ts';

/**
 * A kill falls after so many further requests were acknowledged (whatever the machine's speed), and
 * then so much later; one in five is followed by a kill while it starts again.
 */
const REQUESTS_MAX = 10;
export const MOMENT_MS_MAX = 300;
const STARTING_SHARE = 0.2;
const STARTING_MS_MAX = 900;
/** To get so far; the requests themselves take a tenth of a second. */
const PROGRESS_MS = 30_000;

/**
 * Kills all-in-one `kills` times at random moments while several senders go on, restarts it at once
 * on the same data, and counts after each what was acknowledged since the one before.
 */
export async function killUnderLoad(t: TestContext, kills: number): Promise<void> {
  const random = new Prng(seedFromEnvironment());
  t.diagnostic(`TEST_SEED=${random.seed}`);
  const ports = await choosePorts();
  const directory = await temporaryDirectory();
  let spanhouse = await Spanhouse.start({ ports, directory });
  const load = new Load('kill', mixedExporters(ports));
  try {
    let checked = 0;
    for (let kill = 1; kill <= kills; kill++) {
      const wanted = load.acknowledged.length + random.int(1, REQUESTS_MAX);
      await eventually('requests acknowledged', PROGRESS_MS, () => load.acknowledged[wanted - 1]);
      await sleep(random.int(0, MOMENT_MS_MAX));
      await spanhouse.kill();
      if (random.next() < STARTING_SHARE) {
        spanhouse = await Spanhouse.spawn({ ports, directory });
        await sleep(random.int(0, STARTING_MS_MAX));
        await spanhouse.kill();
      }
      spanhouse = await Spanhouse.start({ ports, directory });
      const upTo = load.acknowledged.length;
      const damage = await findDamage(spanhouse.query, load.acknowledged.slice(checked, upTo));
      assert.deepEqual(damage, [], `after kill ${kill}`);
      checked = upTo;
    }
    await load.stop();
    assert.deepEqual(await findDamage(spanhouse.query, load.acknowledged), []);
    assert.deepEqual(load.refused, []);
    assert.ok(load.retries > 0, 'no request was ever cut off: the kills hit nothing');
    t.diagnostic(`${load.acknowledged.length} requests acknowledged, ${load.retries} retries`);
    await spanhouse.stop();
  } finally {
    await load.stop();
    await spanhouse.remove();
  }
}
