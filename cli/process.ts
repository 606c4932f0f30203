// What every long-running subcommand shares: settings, log, metrics, health, signals.

import { loadConfig } from '../service/config.ts';
import { type Config, listenAddress } from '../service/config_schema.ts';
import { Health, openHealth } from '../service/health.ts';
import { type Lifecycle, runService } from '../service/lifecycle.ts';
import { createLog, type Log } from '../service/log.ts';
import { Metrics, openMetrics } from '../service/metrics.ts';
import { registerProcessMetrics } from '../service/process_metrics.ts';
import { Tls, TlsError } from '../service/tls.ts';
import type { Context } from './command.ts';
import { packageVersion } from './version.ts';

export interface ProcessDeps {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly life: Lifecycle;
  /** Of receivers and query listeners; absent: plain. */
  readonly tls?: Tls;
}

/** Opens the parts of one role; answers where it listens, by name, for the log. */
export type Open = (deps: ProcessDeps) => Promise<Readonly<Record<string, readonly string[]>>>;

/** Runs a role until it is told to stop; the exit code. Throws ConfigError. */
export async function runProcess(context: Context, role: string, open: Open): Promise<number> {
  const { config } = loadConfig(context.args, context.env);
  const log = createLog(config.log);
  const health = new Health();
  const metrics = new Metrics();
  log.info(`starting ${role}`, { version: packageVersion(), node: process.version });
  return runService({
    log,
    graceMs: config.shutdown.grace,
    draining: () => health.draining(),
    start: async (life) => {
      const startMs = performance.now();
      await life.start('process metrics', () => registerProcessMetrics(metrics));
      await life.start('health', () => openHealth(health, listenAddress(config, 'health')));
      await life.start('metrics', () => openMetrics(metrics, listenAddress(config, 'metrics')));
      const tls = await startTls(config, log, metrics, life);
      const deps = { config, log, metrics, health, life, ...(tls === undefined ? {} : { tls }) };
      const listening = await open(deps);
      health.started();
      const opened = Object.entries(listening).filter(([, addresses]) => addresses.length > 0);
      const seconds = Math.round(performance.now() - startMs) / 1000;
      log.info('ready', { seconds, ...Object.fromEntries(opened) });
    },
  });
}

const MS_PER_SECOND = 1000;

/** Throws TlsError. */
async function startTls(
  config: Config,
  log: Log,
  metrics: Metrics,
  life: Lifecycle,
): Promise<Tls | undefined> {
  const { cert, key, client_ca: clientCa } = config.tls;
  if (cert === '' && key === '' && clientCa === '') return undefined;
  if (cert === '' || key === '') {
    throw new TlsError(
      'tls.cert and tls.key belong together: expected both, or neither of them and no tls.client_ca',
    );
  }
  const files = { cert, key, clientCa };
  const tls = await life.start('tls', () => Tls.open(files, (message) => log.warn(message)));
  metrics.gauge(
    'spanhouse_tls_expiry_timestamp_seconds',
    'When the certificate of our listeners ends, in seconds since 1970.',
    () => tls.expiresUnixMs / MS_PER_SECOND,
  );
  return tls;
}
