// Jaeger's metrics API, which the Monitor page asks (jaeger.md §2.4): /api/metrics/*. Its answers
// have no envelope; they are the JSON of OpenMetrics' MetricFamily.

import type { FastifyInstance } from 'fastify';
import { Breath } from '../../breath.ts';
import { type Answer, atEnd, enter, type QueryDeps, serve } from '../../http_answer.ts';
import { computeSpm, RESOLUTION_MS, type SpmAnswer, type SpmQuery } from '../../spm.ts';
import { sendError, sendJson, sendJsonPieces } from './answers.ts';
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
      const held = deps.memory.hold();
      atEnd(context, held.free);
      const answer = await computeSpm(deps.select, query, signal, held.add);
      return sendJsonPieces(context, deps, familyJson(query, answer));
    });
  }
  // In an envelope, unlike the others.
  route('/api/metrics/minstep', async (context) =>
    sendJson(context, `{"data":${RESOLUTION_MS},"total":0,"limit":0,"offset":0,"errors":null}`),
  );
}

const NAMES = { latencies: 'latencies', calls: 'call_rate', errors: 'error_rate' } as const;

/** A piece for each series. */
async function* familyJson(
  query: SpmQuery,
  { timesUnixMs, series }: SpmAnswer,
): AsyncGenerator<string, void> {
  const name = `service${query.byOperation ? '_operation' : ''}_${NAMES[query.metric]}`;
  const help = `${helpOf(query)}, grouped by service${query.byOperation ? ' & operation' : ''}`;
  yield `{"name":"${name}","type":"GAUGE","help":"${help}","metrics":[`;
  const times = timesUnixMs.map((at) => JSON.stringify(new Date(at).toISOString()));
  const breath = new Breath();
  let before = '';
  for await (const { service, operation, values } of series) {
    const labels = [{ name: 'service_name', value: service }];
    if (query.byOperation) labels.push({ name: 'operation', value: operation });
    const points = times.map(
      (at, i) => `{"gaugeValue":{"doubleValue":${doubleJson(values[i]!)}},"timestamp":${at}}`,
    );
    yield `${before}{"labels":${JSON.stringify(labels)},"metricPoints":[${points.join(',')}]}`;
    before = ',';
    const pause = breath.step(points.length);
    if (pause !== undefined) await pause;
  }
  yield ']}';
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
