// What the process itself costs, under the names that dashboards know, and how responsive its event
// loop is (P8).

import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MemoryBudget } from './memory_budget.ts';
import type { Metrics } from './metrics.ts';

/** How often the loop is probed: fine enough for a p99 under 50 ms, cheap (0.1 % of a core). */
const PROBE_MS = 10;

const NANOS_PER_SECOND = 1e9;

export interface ProcessMetrics {
  /** Ends the probe, which would keep nothing alive but costs wake-ups. */
  stop(): void;
}

export function registerProcessMetrics(metrics: Metrics): ProcessMetrics {
  metrics.counterFrom('process_cpu_seconds_total', 'CPU time, user and system.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () =>
    process.memoryUsage.rss(),
  );
  metrics.gauge('process_start_time_seconds', 'Start, seconds since 1970.', () =>
    Math.round(performance.timeOrigin / 1000),
  );
  metrics.gauge('process_open_fds', 'Open file descriptors; -1 where unknown.', openFiles);
  metrics.gauges('nodejs_memory_bytes', 'Memory of the JavaScript engine.', 'kind', () => {
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    return Object.entries({ heapUsed, heapTotal, external, arrayBuffers });
  });
  return registerEventLoop(metrics);
}

export function registerMemoryBudget(metrics: Metrics, budget: MemoryBudget): void {
  metrics.gauge('spanhouse_memory_used_bytes', 'Bytes of requests in flight.', () => {
    return budget.usedBytes;
  });
  metrics.gauge('spanhouse_memory_limit_bytes', 'The setting memory.limit.', () => {
    return budget.limitBytes;
  });
  metrics.counterFrom(
    'spanhouse_memory_refusals_total',
    'Reservations that did not fit under memory.limit.',
    () => budget.refusals,
  );
}

/** Delays since the last scrape: a maximum over the whole life would never come down again. */
function registerEventLoop(metrics: Metrics): ProcessMetrics {
  const delays = monitorEventLoopDelay({ resolution: PROBE_MS });
  delays.enable();
  metrics.gauges(
    'spanhouse_event_loop_delay_seconds',
    'How late the event loop was since the last scrape; quantile 1 is the longest stall.',
    'quantile',
    () => {
      // Node records the time between two probes, so an idle loop shows PROBE_MS.
      const late = (nanos: number): number =>
        Math.max(0, nanos / NANOS_PER_SECOND - PROBE_MS / 1000);
      const found = [
        ['0.5', late(delays.percentile(50))],
        ['0.99', late(delays.percentile(99))],
        ['1', late(delays.max)],
      ] as const;
      const none = delays.count === 0;
      delays.reset();
      return none ? found.map(([quantile]) => [quantile, 0] as const) : found;
    },
  );
  return { stop: () => delays.disable() };
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return -1;
  }
}
