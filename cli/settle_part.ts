// The settle job as a part of a process, from the settings.

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { SettleJob } from '../ingester/settle/settle_job.ts';
import { registerSettleMetrics } from '../ingester/settle/settle_ledger.ts';
import { systemClock } from '../service/clock.ts';
import type { ClickHouseAccess } from '../storage/clickhouse/client.ts';
import { SettleStore } from '../storage/clickhouse/settled/settle_store.ts';
import type { ProcessDeps } from './process.ts';

/** Starts it unless settle.enabled is false. */
export async function startSettlePart(
  { config, life, log, metrics }: ProcessDeps,
  access: ClickHouseAccess,
): Promise<void> {
  if (config.settle.enabled === 'false') return;
  const job = await life.start(
    'settle job',
    () =>
      new SettleJob({
        work: new SettleStore(access),
        owner: `${hostname()} ${process.pid} ${randomUUID()}`,
        delayMs: config.settle.delay,
        clock: systemClock,
        log,
        ledger: registerSettleMetrics(metrics),
      }),
  );
  job.start();
}
