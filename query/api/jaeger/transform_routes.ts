// POST /api/transform: OTLP/JSON in, Jaeger's JSON out, so that the UI can show a file. Nothing is
// stored. Shown as it came: Jaeger does not adjust it either.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { jsonToProto } from '../../../model/codec/otlp/json_to_proto.ts';
import { readSpans } from '../../../model/codec/otlp/read_request.ts';
import { WireReader } from '../../../model/codec/otlp/wire_reader.ts';
import type { Span } from '../../../model/span.ts';
import { MemoryBudget } from '../../../service/memory_budget.ts';
import { RefusalError } from '../../../service/refusal.ts';
import { Breath } from '../../breath.ts';
import { atEnd, type Context, enter, type QueryDeps, serve } from '../../http_answer.ts';
import { asStored } from '../../stored_trace.ts';
import { sendError, sendTraces } from './answers.ts';
import { refuse } from './find_query.ts';

/** Some 8,000 spans: it is read in one go, and others wait for so long. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;
/** Of all bodies that come in at once: four of the largest. Slow senders hold nobody up but these. */
const BODIES_BYTES_MAX = 4 * BODY_BYTES_MAX;
const RETRY_AFTER_MS = 1000;

export function registerTransform(app: FastifyInstance, deps: QueryDeps): void {
  const budget = new MemoryBudget(BODIES_BYTES_MAX);
  app.register(async (scope) => {
    // Whatever a client calls it: Jaeger's UI does not say at all. Read by us, within the budget.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.post('/api/transform', (request, reply) =>
      serve(request, reply, deps, (context) => transform(context, deps, budget), sendError),
    );
  });
}

async function transform(
  context: Context,
  deps: QueryDeps,
  budget: MemoryBudget,
): Promise<FastifyReply> {
  const body = await readBody(context, budget);
  if (body.length === 0) return refuse('expected a body of OTLP JSON, received none');
  await enter(context, deps);
  const held = deps.memory.hold();
  atEnd(context, held.free);
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

/** In `budget` until the answer ends. Throws RefusalError: `too_large`, `busy`, `malformed`. */
async function readBody(context: Context, budget: MemoryBudget): Promise<Buffer> {
  const { request, reply } = context;
  const chunks: Buffer[] = [];
  let size = 0;
  atEnd(context, () => budget.release(size));
  // What is left of a body that is refused is not waited for.
  reply.header('connection', 'close');
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > BODY_BYTES_MAX) throw tooLarge();
  try {
    // The answer needs the socket still.
    for await (const chunk of request.raw.iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Buffer;
      if (size + bytes.length > BODY_BYTES_MAX) throw tooLarge();
      if (reply.raw.closed || !budget.tryReserve(bytes.length)) throw noRoom();
      size += bytes.length;
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof RefusalError) throw error;
    return refuse('the body ended before it was whole');
  }
  reply.removeHeader('connection');
  return Buffer.concat(chunks, size);
}

function tooLarge(): RefusalError {
  const message = `at most ${BODY_BYTES_MAX} bytes can be transformed at once`;
  return new RefusalError({ code: 'too_large', message });
}

function noRoom(): RefusalError {
  const message =
    `The files that are being sent have more than ${BODIES_BYTES_MAX} bytes together: ` +
    'try again in a moment.';
  return new RefusalError({ code: 'busy', message, retryAfterMs: RETRY_AFTER_MS });
}

function checkIds({ traceId, spanId, parentSpanId }: Span): void {
  if (traceId.length !== 32 || spanId.length !== 16 || ![0, 16].includes(parentSpanId.length)) {
    refuse('expected a traceId of 32 hex digits, a spanId and perhaps a parentSpanId of 16');
  }
}
