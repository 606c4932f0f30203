// POST /api/transform: OTLP/JSON in, Jaeger's JSON out, so that the UI can show a file. Nothing is
// stored. Shown as it came: Jaeger does not adjust it either.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { jsonToProto } from '../../../model/codec/otlp/json_to_proto.ts';
import { readSpans } from '../../../model/codec/otlp/read_request.ts';
import { WireReader } from '../../../model/codec/otlp/wire_reader.ts';
import type { Span } from '../../../model/span.ts';
import { Breath } from '../../breath.ts';
import { type Context, enter, type QueryDeps, serve } from '../../http_answer.ts';
import { asStored } from '../../stored_trace.ts';
import { sendError, sendTraces } from './answers.ts';
import { refuse } from './find_query.ts';

/** Some 8,000 spans: it is read in one go, and others wait for so long. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;

export function registerTransform(app: FastifyInstance, deps: QueryDeps): void {
  app.register(async (scope) => {
    // Whatever a client calls it: Jaeger's UI does not say at all.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
      (_request, body, done) => done(null, body),
    );
    scope.setErrorHandler((error, _request, reply) => {
      if ((error as { statusCode?: number }).statusCode !== 413) throw error;
      return sendError(reply, 413, `at most ${BODY_BYTES_MAX} bytes can be transformed at once`);
    });
    scope.post('/api/transform', { bodyLimit: BODY_BYTES_MAX }, (request, reply) =>
      serve(request, reply, deps, (context) => transform(context, deps), sendError),
    );
  });
}

async function transform(context: Context, deps: QueryDeps): Promise<FastifyReply> {
  const body = context.request.body;
  if (!Buffer.isBuffer(body) || body.length === 0) {
    return refuse('expected a body of OTLP JSON, received none');
  }
  await enter(context, deps);
  const held = deps.memory.hold();
  context.reply.raw.once('close', held.free);
  held.add(body.length);
  const proto = jsonToProto(body);
  if (!proto.ok) return refuse(`cannot unmarshal OTLP: ${proto.message}`);
  const traces = new Map<string, Span[]>();
  const breath = new Breath();
  for (const span of readSpans(new WireReader(proto.bytes))) {
    checkIds(span);
    const members = traces.get(span.traceId);
    if (members === undefined) traces.set(span.traceId, [span]);
    else members.push(span);
    const pause = breath.step();
    if (pause !== undefined) await pause;
  }
  const found = asStored([...traces].map(([traceId, spans]) => ({ traceId, spans })));
  return await sendTraces(context, deps, [], found, true, () => ({ errors: [] }));
}

function checkIds({ traceId, spanId, parentSpanId }: Span): void {
  if (traceId.length !== 32 || spanId.length !== 16 || ![0, 16].includes(parentSpanId.length)) {
    refuse('expected a traceId of 32 hex digits, a spanId and perhaps a parentSpanId of 16');
  }
}
