// The query service as a part of a process, from the settings.

import { ZIPKIN_SETTINGS } from '../query/api/zipkin/routes.ts';
import { type QueryListeners, type QueryOptions, startQuery } from '../query/server.ts';
import { listenAddress, zipkinQueryAddress } from '../service/config_schema.ts';
import { grpcLimits, httpLimits } from '../service/limits.ts';
import { ClickHouseArchive } from '../storage/clickhouse/archive.ts';
import type { ClickHouseAccess } from '../storage/clickhouse/client.ts';
import { SELECT_LIMITS, SERVER_SELECT_LIMITS } from '../storage/clickhouse/select.ts';
import type { ProcessDeps } from './process.ts';
import { packageVersion } from './version.ts';

/** Opens the query APIs over `access`, HTTP and gRPC. Throws ListenError. */
export function startQueryPart(
  deps: ProcessDeps,
  access: ClickHouseAccess,
  otlp?: QueryOptions['otlp'],
): Promise<QueryListeners> {
  const { config, life, log, metrics } = deps;
  const limits =
    config.clickhouse.url === ''
      ? SELECT_LIMITS
      : { ...SERVER_SELECT_LIMITS, rowsToReadMax: config.query.max_rows };
  const zipkinListen = zipkinQueryAddress(config);
  const { archive } = config.query;
  // A process that only answers queries may have a user of ClickHouse that only reads.
  const archives = archive === 'auto' ? otlp !== undefined : archive === 'true';
  return life.start('query', () =>
    startQuery({
      access,
      listen: listenAddress(config, 'query'),
      grpc: { listen: listenAddress(config, 'query_grpc'), limits: grpcLimits(config) },
      zipkin: {
        ...ZIPKIN_SETTINGS,
        strictTraceId: config.zipkin.strict_trace_id === 'true',
        autocompleteKeys: config.zipkin.autocomplete_keys,
        lookbackMs: config.zipkin.lookback,
      },
      ...(zipkinListen === undefined ? {} : { zipkinListen }),
      pages: {
        basePath: config.ui.base_path,
        jaegerConfig: config.ui.jaeger_config,
        ...(config.ui.jaeger_path === '' ? {} : { jaegerPath: config.ui.jaeger_path }),
        ...(config.ui.zipkin_path === '' ? {} : { zipkinPath: config.ui.zipkin_path }),
      },
      version: packageVersion(),
      log,
      metrics,
      selectLimits: { ...limits, timeMsMax: config.query.max_time },
      // The other half is for requests in flight, where a process receives, too.
      answerBytesMax: Math.floor(config.memory.limit / 2),
      http: httpLimits(config),
      allowedHosts: config.http.allowed_hosts,
      ...(otlp === undefined ? {} : { otlp }),
      ...(deps.tls === undefined ? {} : { tls: deps.tls }),
      clockSkewMsMax: config.query.max_clock_skew,
      ...(archives ? { archive: new ClickHouseArchive(access) } : {}),
    }),
  );
}
