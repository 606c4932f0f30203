// ETag and If-None-Match of one trace: whoever asks again is told that nothing has changed, without
// the trace being read as a whole. A trace may grow at any time, so it is asked for each time.

import type { TraceKey } from '../../../storage/clickhouse/statement.ts';
import { SPANS_PER_TRACE_MAX } from '../../get.ts';
import type { Context, QueryDeps } from '../../http_answer.ts';
import type { StoredTrace } from '../../stored_trace.ts';
import { readTag } from '../../trace_tag.ts';

/** Part of the tag: raise it when the same spans are written differently. */
const FORM = 1;
/** A page has a tag or two; more is not read. */
const CONDITION_CHARS_MAX = 1024;

/** Weak, as a compressed answer has other bytes. The setting changes what is shown of the spans. */
function entityTag({ clockSkewNanosMax }: QueryDeps, tag: string): string {
  return `W/"${FORM}.${clockSkewNanosMax}-${tag}"`;
}

/** The one trace of an answer, which is tagged as soon as it is known. */
export async function* tagged(
  context: Context,
  deps: QueryDeps,
  traces: AsyncIterable<StoredTrace>,
): AsyncGenerator<StoredTrace, void> {
  for await (const trace of traces) {
    if (trace.tag !== undefined) tagAnswer(context, entityTag(deps, trace.tag));
    yield trace;
  }
}

function tagAnswer({ reply }: Context, etag: string): void {
  reply.headers({ etag, 'cache-control': 'private, no-cache' });
}

/** True where the caller says that it has the trace as it is stored now. Throws SelectError. */
export async function isUnchanged(
  context: Context,
  deps: QueryDeps,
  key: TraceKey,
): Promise<boolean> {
  const condition = context.request.headers['if-none-match'] ?? '';
  if (!condition.includes('"') || condition.length > CONDITION_CHARS_MAX) return false;
  const { tenant, signal } = context;
  const tag = await readTag(deps.select, tenant, key, SPANS_PER_TRACE_MAX + 1, signal);
  if (tag === undefined) return false;
  const known = condition.split(',').map((one) => one.trim().replace(/^(W\/)?/, 'W/'));
  const etag = entityTag(deps, tag);
  if (!known.includes(etag)) return false;
  tagAnswer(context, etag);
  return true;
}
