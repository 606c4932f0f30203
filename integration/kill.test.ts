// Promises P1 and P2: what was acknowledged survives kill -9 at any moment, and is shown once.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './harness/eventually.ts';
import { assertLedgerBalances } from './harness/ledger.ts';
import { findDamage, Load, mixedExporters } from './harness/load.ts';
import { Prng, seedFromEnvironment } from './harness/prng.ts';
import { childrenOf } from './harness/process_tree.ts';
import { Spanhouse } from './harness/spanhouse.ts';
import { killUnderLoad, MOMENT_MS_MAX } from './kill_under_load.ts';

const KILLS = 20;
const CHILD_KILLS = 5;
/** From the child's death until requests are acknowledged again. */
const RECOVERY_MS = 20_000;

test(`${KILLS} times kill -9 under load loses nothing acknowledged and shows nothing twice`, (t) =>
  killUnderLoad(t, KILLS));

test(`${CHILD_KILLS} times kill -9 of ClickHouse alone: the process lives on and loses nothing`, async (t) => {
  const random = new Prng(seedFromEnvironment());
  t.diagnostic(`TEST_SEED=${random.seed}`);
  const spanhouse = await Spanhouse.start();
  const load = new Load('child-kill', mixedExporters(spanhouse.ports));
  try {
    for (let kill = 1; kill <= CHILD_KILLS; kill++) {
      await sleep(random.int(0, MOMENT_MS_MAX));
      const child = childrenOf(spanhouse.pid)[0];
      assert.ok(child, 'the embedded ClickHouse is a child process');
      const before = load.acknowledged.length;
      process.kill(child.pid, 'SIGKILL');
      await eventually('requests acknowledged again', RECOVERY_MS, () => {
        assert.ok(spanhouse.alive, spanhouse.log);
        // Those in flight may have been answered just before; twice the senders is surely after.
        return load.acknowledged.length > before + 8 ? true : undefined;
      });
      assert.notEqual(childrenOf(spanhouse.pid)[0]?.pid, child.pid);
      const damage = await findDamage(spanhouse.query, load.acknowledged.slice());
      assert.deepEqual(damage, [], `after kill ${kill}`);
    }
    await load.stop();
    await assertLedgerBalances(spanhouse.metrics);
    assert.deepEqual(
      load.refused,
      [],
      'an engine that is away is a reason to retry, not to refuse',
    );
    await spanhouse.stop();
  } finally {
    await load.stop();
    await spanhouse.remove();
  }
});

test('SIGTERM under load ends with exit 0 and keeps all that was acknowledged', async () => {
  const first = await Spanhouse.start();
  const { ports, directory } = first;
  const load = new Load('drain', mixedExporters(ports));
  let second: Spanhouse | undefined;
  try {
    await eventually('some load', RECOVERY_MS, () => load.acknowledged[20]);
    await first.stop();
    second = await Spanhouse.start({ ports, directory });
    await load.stop();
    assert.deepEqual(load.refused, []);
    assert.deepEqual(await findDamage(second.query, load.acknowledged), []);
    await second.stop();
  } finally {
    await load.stop();
    await first.kill();
    await second?.kill();
    await first.remove();
  }
});

test('the check behind the tests above sees a trace that is missing', async () => {
  const spanhouse = await Spanhouse.start();
  try {
    const never = randomBytes(16).toString('hex');
    const damage = await findDamage(spanhouse.query, [never]);
    assert.equal(damage.length, 1);
    assert.match(damage[0] ?? '', new RegExp(never));
  } finally {
    await spanhouse.remove();
  }
});
