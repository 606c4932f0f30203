// Promises P1 and P2: what was acknowledged survives kill -9 at any moment, and is shown once.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './harness/eventually.ts';
import { type Exporter, grpcExporter, httpExporter } from './harness/exporter.ts';
import { assertLedgerBalances } from './harness/ledger.ts';
import { findDamage, Load } from './harness/load.ts';
import { Prng, seedFromEnvironment } from './harness/prng.ts';
import { childrenOf } from './harness/process_tree.ts';
import { choosePorts, type Ports, Spanhouse, temporaryDirectory } from './harness/spanhouse.ts';

const KILLS = 20;
const CHILD_KILLS = 5;
/** Kills fall within this time after the process is ready, and one in five while it starts. */
const MOMENT_MS_MAX = 900;
const STARTING_SHARE = 0.2;
/** From the child's death until requests are acknowledged again. */
const RECOVERY_MS = 20_000;

function senders(ports: Ports): Exporter[] {
  const http = `http://127.0.0.1:${ports.otlpHttp}`;
  const grpc = `127.0.0.1:${ports.otlpGrpc}`;
  return [httpExporter(http), httpExporter(http), grpcExporter(grpc), grpcExporter(grpc)];
}

test(`${KILLS} times kill -9 under load loses nothing acknowledged and shows nothing twice`, async (t) => {
  const random = new Prng(seedFromEnvironment());
  t.diagnostic(`TEST_SEED=${random.seed}`);
  const ports = await choosePorts();
  const directory = await temporaryDirectory();
  let spanhouse = await Spanhouse.start({ ports, directory });
  const load = new Load('kill', senders(ports));
  try {
    let checked = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      await sleep(random.int(0, MOMENT_MS_MAX));
      await spanhouse.kill();
      if (random.next() < STARTING_SHARE) {
        spanhouse = await Spanhouse.spawn({ ports, directory });
        await sleep(random.int(0, MOMENT_MS_MAX));
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
    assert.ok(
      load.acknowledged.length > 5 * KILLS,
      `only ${load.acknowledged.length} acknowledged`,
    );
    assert.ok(load.retries > 0, 'no request was ever cut off: the kills hit nothing');
    t.diagnostic(`${load.acknowledged.length} requests acknowledged, ${load.retries} retries`);
    await spanhouse.stop();
  } finally {
    await load.stop();
    await spanhouse.remove();
  }
});

test(`${CHILD_KILLS} times kill -9 of ClickHouse alone: the process lives on and loses nothing`, async (t) => {
  const random = new Prng(seedFromEnvironment());
  t.diagnostic(`TEST_SEED=${random.seed}`);
  const spanhouse = await Spanhouse.start();
  const load = new Load('child-kill', senders(spanhouse.ports));
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
  const load = new Load('drain', senders(ports));
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
