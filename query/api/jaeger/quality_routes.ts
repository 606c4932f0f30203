// GET /api/quality-metrics?service=&hours=: the fields that Jaeger's UI reads. Where Jaeger answers
// made-up data, these are counted.

import type { FastifyInstance } from 'fastify';
import { enter, nowUnixNanos, type QueryDeps, serve } from '../../http_answer.ts';
import { type Counted, type Measured, measureQuality, QUALITY_TRACES_MAX } from '../../quality.ts';
import { sendError, sendJson } from './answers.ts';
import { refuse } from './find_query.ts';
import { quote } from './go_duration.ts';
import { boundedName } from './search_params.ts';
import { jaegerTraceId } from './span_json.ts';

const HOURS_DEFAULT = 48;
/** A year; spans are seldom kept for longer. */
const HOURS_MAX = 8784;
const HOUR_NANOS = 3_600_000_000_000n;
const SCORE_MAX = 100;

export function registerQuality(app: FastifyInstance, deps: QueryDeps): void {
  app.get('/api/quality-metrics', (request, reply) =>
    serve(
      request,
      reply,
      deps,
      async (context) => {
        const { params, tenant, signal } = context;
        const service = boundedName(params, 'service');
        if (service === undefined) return refuse(`parameter 'service' is required`);
        const hours = hoursOf(params);
        const endUnixNanos = nowUnixNanos(deps.clock);
        const startUnixNanos = endUnixNanos - BigInt(hours) * HOUR_NANOS;
        const question = { tenant, service, startUnixNanos, endUnixNanos };
        await enter(context, deps);
        const measured = await measureQuality(deps.select, question, signal, deps.memory);
        return sendJson(context, JSON.stringify(answerOf(measured)));
      },
      sendError,
    ),
  );
}

function hoursOf(params: URLSearchParams): number {
  const text = params.get('hours') ?? '';
  if (text === '') return HOURS_DEFAULT;
  const hours = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (hours >= 1 && hours <= HOURS_MAX) return hours;
  return refuse(`'hours' should be between 1 and ${HOURS_MAX}, received ${quote(text)}`);
}

function answerOf(measured: readonly Measured[]): object {
  return {
    traceQualityDocumentationLink: '/',
    bannerText: {
      value: `Counted over the newest ${QUALITY_TRACES_MAX} traces of the service at most.`,
    },
    scores: [{ key: 'quality', label: 'Quality', max: SCORE_MAX, value: scoreOf(measured) }],
    metrics: measured.map(({ rule, pass, fail, exempt }) => ({
      name: rule.name,
      category: rule.category,
      description: rule.description,
      metricDocumentationLink: '/',
      metricWeight: 1 / measured.length,
      passCount: pass.count,
      passExamples: examplesOf(pass),
      failureCount: fail.count,
      failureExamples: examplesOf(fail),
      exemptionCount: exempt.count,
      exemptionExamples: examplesOf(exempt),
      details: [],
    })),
  };
}

function examplesOf({ examples }: Counted): object[] {
  return examples.map(({ traceId, spanId }) => ({
    spanIDs: [spanId],
    traceID: jaegerTraceId(traceId),
  }));
}

/** The mean share of spans that keep a rule, over the rules that say anything; whole percents. */
function scoreOf(measured: readonly Measured[]): number {
  const shares = measured
    .filter(({ pass, fail }) => pass.count + fail.count > 0)
    .map(({ pass, fail }) => pass.count / (pass.count + fail.count));
  if (shares.length === 0) return SCORE_MAX;
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return Math.floor(mean * SCORE_MAX);
}
