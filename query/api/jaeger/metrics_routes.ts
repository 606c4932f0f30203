// Jaeger's metrics API, which the Monitor page asks (jaeger.md §2.4): /api/metrics/*. Its answers
// have no envelope; they are the JSON of OpenMetrics' MetricFamily.

import type { FastifyInstance } from 'fastify';
import { type Answer, enter, type QueryDeps, serve } from '../../http_answer.ts';
import { computeSpm, RESOLUTION_MS, type SpmAnswer, type SpmQuery } from '../../spm.ts';
import { sendError, sendJson } from './answers.ts';
import { parseSpm } from './metrics_params.ts';

export function registerJaegerMetrics(app: FastifyInstance, deps: QueryDeps): void {
  const route = (path: string, answer: Answer): void => {
    app.get(path, (request, reply) => serve(request, reply, deps, answer, sendError));
  };
  for (const metric of ['latencies', 'calls', 'errors'] as const) {
    route(`/api/metrics/${metric}`, async (context) => {
      const { params, tenant, signal } = context;
      const query = parseSpm(params, metric, tenant, deps.clock.nowMs());
      await enter(context, deps);
      const answer = await computeSpm(deps.select, query, signal);
      return sendJson(context, familyJson(query, answer));
    });
  }
  // In an envelope, unlike the others.
  route('/api/metrics/minstep', async (context) =>
    sendJson(context, `{"data":${RESOLUTION_MS},"total":0,"limit":0,"offset":0,"errors":null}`),
  );
}

const NAMES = { latencies: 'latencies', calls: 'call_rate', errors: 'error_rate' } as const;

function familyJson(query: SpmQuery, { timesUnixMs, series }: SpmAnswer): string {
  const times = timesUnixMs.map((at) => JSON.stringify(new Date(at).toISOString()));
  const metrics = series.map(({ service, operation, values }) => {
    const labels = [{ name: 'service_name', value: service }];
    if (query.byOperation) labels.push({ name: 'operation', value: operation });
    const points = times.map(
      (at, i) => `{"gaugeValue":{"doubleValue":${doubleJson(values[i]!)}},"timestamp":${at}}`,
    );
    return `{"labels":${JSON.stringify(labels)},"metricPoints":[${points.join(',')}]}`;
  });
  const name = `service${query.byOperation ? '_operation' : ''}_${NAMES[query.metric]}`;
  const help = `${helpOf(query)}, grouped by service${query.byOperation ? ' & operation' : ''}`;
  return `{"name":"${name}","type":"GAUGE","help":"${help}","metrics":[${metrics.join(',')}]}`;
}

function helpOf({ metric, quantile }: SpmQuery): string {
  if (metric === 'calls') return 'calls/sec';
  if (metric === 'errors') return 'error rate, computed as a fraction of errors/sec over calls/sec';
  return `${quantile.toFixed(2)}th quantile latency`;
}

/** As protobuf's JSON has it. */
function doubleJson(value: number): string {
  return Number.isNaN(value) ? '"NaN"' : String(value);
}
