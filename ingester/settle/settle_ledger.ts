// What the settle job tells: its metrics, named here and nowhere else.

import { type Metrics, SECONDS_BUCKETS } from '../../service/metrics.ts';

export interface SettleLedger {
  settled(again: boolean, seconds: number): void;
  failed(): void;
  /** What is due, and how old (in seconds) the oldest of it is. */
  due(buckets: number, oldestSeconds: number): void;
  leading(leads: boolean): void;
}

export function registerSettleMetrics(metrics: Metrics): SettleLedger {
  const buckets = metrics.counter(
    'spanhouse_settle_buckets_total',
    'Five-minute buckets of spans that were settled; "again" is for those that got late spans.',
    ['round'],
  );
  buckets.add({ round: 'first' }, 0);
  buckets.add({ round: 'again' }, 0);
  const failures = metrics.counter(
    'spanhouse_settle_failures_total',
    'Buckets that could not be settled at the first try; they are tried again.',
  );
  const took = metrics.histogram(
    'spanhouse_settle_seconds',
    'Time to settle one bucket.',
    [],
    SECONDS_BUCKETS,
  );
  let [dueBuckets, lagSeconds, leads] = [0, 0, false];
  metrics.gauge(
    'spanhouse_settle_due_buckets',
    'Buckets that wait to be settled, as the process sees it that settles.',
    () => dueBuckets,
  );
  metrics.gauge(
    'spanhouse_settle_lag_seconds',
    'Age of the end of the oldest bucket that waits; 0 where none does.',
    () => lagSeconds,
  );
  metrics.gauge(
    'spanhouse_settle_leader',
    '1 in the process that settles, 0 in those that stand by.',
    () => Number(leads),
  );
  return {
    settled: (again, seconds) => {
      buckets.add({ round: again ? 'again' : 'first' });
      took.observe({}, seconds);
    },
    failed: () => failures.add({}),
    due: (count, oldestSeconds) => {
      dueBuckets = count;
      lagSeconds = oldestSeconds;
    },
    leading: (now) => {
      leads = now;
    },
  };
}
