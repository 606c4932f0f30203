import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';
import { SessionPool } from './session_pool.ts';

/** An engine that only notes what was asked of it. */
function notingEngine() {
  const log: string[] = [];
  const result = { bytes: new Uint8Array(0), rowsRead: 0, bytesRead: 0, elapsedSeconds: 0 };
  const engine: Engine = {
    dataDir: '',
    incomingDir: '',
    close: () => undefined,
    open: (tag) => ({
      tag,
      close: () => void log.push(`close ${tag}`),
      run(sql) {
        log.push(`${tag} ${sql}`);
        return sql.includes('broken')
          ? Promise.reject(new Error('broken'))
          : Promise.resolve(result);
      },
    }),
  };
  return { engine, log };
}

function poolOf(engine: Engine, size: number, waitersMax = 10, waitMsMax = 1000): SessionPool {
  const forced = new Map([['readonly', '1']]);
  return new SessionPool(engine, { name: 'read', size, forced, waitersMax, waitMsMax });
}

const setup = (database = 'default', settings: Record<string, string> = {}) => ({
  database,
  settings: new Map(Object.entries(settings)),
});

test('a session that fits is used again, another setup gets a new one', async () => {
  const { engine, log } = notingEngine();
  const pool = poolOf(engine, 1);
  await pool.use(setup(), async () => undefined);
  await pool.use(setup(), async () => undefined);
  assert.deepEqual(log, [
    'read-1 USE `default`',
    "read-1 SET log_comment = 'read-1', readonly = '1'",
  ]);
  await pool.use(setup('other', { final: "1'" }), async () => undefined);
  assert.deepEqual(log.slice(2), [
    'close read-1',
    'read-2 USE `other`',
    "read-2 SET log_comment = 'read-2', final = '1\\x27', readonly = '1'",
  ]);
});

test('a session does one thing at a time, in the order of asking', async () => {
  const { engine } = notingEngine();
  const pool = poolOf(engine, 2);
  let now = 0;
  let most = 0;
  const order: number[] = [];
  const jobs = Array.from({ length: 6 }, (_, i) =>
    pool.use(setup(), async () => {
      order.push(i);
      now += 1;
      most = Math.max(most, now);
      await sleep(5);
      now -= 1;
    }),
  );
  await Promise.all(jobs);
  assert.equal(most, 2);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
});

test('one more than may wait is refused at once, with code 202', async () => {
  const { engine } = notingEngine();
  const pool = poolOf(engine, 1, 1);
  const jobs = [1, 2].map(() => pool.use(setup(), () => sleep(20)));
  await assert.rejects(
    pool.use(setup(), async () => undefined),
    { code: 202 },
  );
  await Promise.all(jobs);
});

test('who has waited too long is refused, and takes no session later', async () => {
  const { engine } = notingEngine();
  const pool = poolOf(engine, 1, 5, 10);
  const long = pool.use(setup(), () => sleep(50));
  let ran = false;
  const late = pool.use(setup(), async () => {
    ran = true;
  });
  await assert.rejects(late, { code: 202 });
  await long;
  await pool.use(setup(), async () => undefined);
  assert.equal(ran, false);
});

test('a session that cannot be set up is closed, and its place is free again', async () => {
  const { engine, log } = notingEngine();
  const pool = poolOf(engine, 1);
  await assert.rejects(pool.use(setup('broken'), async () => undefined));
  assert.ok(log.includes('close read-1'));
  assert.equal(await pool.use(setup(), async (session) => session.tag), 'read-2');
});

test('work that fails frees its session', async () => {
  const { engine } = notingEngine();
  const pool = poolOf(engine, 1);
  await assert.rejects(
    pool.use(setup(), () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await pool.use(setup(), async () => 'served'), 'served');
});
