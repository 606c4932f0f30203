// The links of a window by Zipkin's rules: whole traces are read, a slice at a time, as little of
// each span as the rules look at, and the pure linker counts.

import { setImmediate as breathe } from 'node:timers/promises';
import * as names from '../../../model/codec/zipkin/attribute_names.ts';
import type { Kind, V2Span } from '../../../model/codec/zipkin/v1_span.ts';
import { UNKNOWN_SERVICE } from '../../../model/limits.ts';
import { type ZipkinLink, ZipkinLinker } from '../../../model/trace/zipkin_links.ts';
import type { NativeBlock, NumberColumn, StringColumn } from '../native_column.ts';
import { REMOTE_SERVICE, ZIPKIN_SCOPE_ID } from '../remote_service.ts';
import type { Select } from '../select.ts';
import { hex16, type Statement } from '../statement.ts';
import { slicesOf } from './slices.ts';
import { aroundParams, type SpanWindow, spansAround } from './window.ts';

/** A trace of more is a loop; its first spans still count, and always the same ones. */
const SPANS_PER_TRACE_MAX = 50_000;
const NANOS_PER_MICRO = 1000n;

/**
 * Sorted by parent, then child. A link belongs to the time of the span that it follows from; the
 * rest of its trace may lie outside the window. Throws SelectError.
 */
export async function zipkinLinks(
  select: Select,
  window: SpanWindow,
  signal?: AbortSignal,
): Promise<ZipkinLink[]> {
  const linker = new ZipkinLinker();
  const [from, to] = [
    Number(window.fromUnixNanos / NANOS_PER_MICRO),
    Number(window.toUnixNanos / NANOS_PER_MICRO),
  ];
  const isCounted = ({ timestamp = 0 }: V2Span): boolean => timestamp >= from && timestamp <= to;
  for (const lows of (await slicesOf(select, window, signal)).lows) {
    let low: bigint | undefined;
    let traceId = '';
    let trace: V2Span[] = [];
    for (const block of await select(traceStatement({ ...window, lows }), signal)) {
      const rows = new Rows(block);
      for (let row = 0; row < block.rows; row++) {
        if (rows.low[row] !== low) {
          linker.addTrace(trace, isCounted);
          trace = [];
          low = rows.low[row]!;
          traceId = hex16(low);
        }
        trace.push(rows.span(row, traceId));
      }
      signal?.throwIfAborted();
      await breathe();
    }
    linker.addTrace(trace, isCounted);
  }
  return linker.links();
}

/**
 * Traces one after the other, by the low half of their ids as Zipkin does, in an order that replays
 * do not change; names in lower case, as Zipkin has them.
 */
function traceStatement(window: SpanWindow): Statement {
  // Zipkin's own spans may lack a service; one of another protocol has the name it is stored by.
  const local = `if(scope_id = ${ZIPKIN_SCOPE_ID} AND service = '${UNKNOWN_SERVICE}', '', service)
      AS local`;
  const shared = `attr_b['${names.SHARED}'] AS shared`;
  const failed = `status = 2 OR mapContains(attr_s, '${names.ERROR}')
      OR attr_b['${names.ERROR}'] = 1 AS failed`;
  const columns = `trace_lo, trace_hi, span_id, parent_id, kind, h, ts,
    ${local},
    ${REMOTE_SERVICE} AS remote,
    ${shared},
    ${failed}`;
  return {
    sql: `SELECT trace_lo, span_id, parent_id, kind, toUnixTimestamp64Micro(ts) AS micros,
  toLowCardinality(lowerUTF8(local)) AS local, toLowCardinality(lowerUTF8(remote)) AS remote, shared, failed
FROM (
  SELECT *
  FROM (
  ${spansAround(columns)}
  )
  LIMIT 1 BY trace_lo, trace_hi, span_id, kind, h
)
ORDER BY trace_lo, ts, span_id, kind, h, trace_hi
LIMIT ${SPANS_PER_TRACE_MAX} BY trace_lo`,
    params: aroundParams(window),
  };
}

/** Zipkin knows no internal spans, and no kind beyond these. */
const KINDS: readonly (Kind | undefined)[] = [
  ...[undefined, undefined, 'SERVER' as const, 'CLIENT' as const],
  ...['PRODUCER' as const, 'CONSUMER' as const],
];

class Rows {
  readonly low: BigUint64Array | BigInt64Array;
  readonly #id: BigUint64Array | BigInt64Array;
  readonly #parent: BigUint64Array | BigInt64Array;
  readonly #micros: BigUint64Array | BigInt64Array;
  readonly #kind: NumberColumn['values'];
  readonly #shared: NumberColumn['values'];
  readonly #failed: NumberColumn['values'];
  readonly #local: StringColumn;
  readonly #remote: StringColumn;

  constructor(block: NativeBlock) {
    this.low = block.bigs('trace_lo');
    this.#id = block.bigs('span_id');
    this.#parent = block.bigs('parent_id');
    this.#micros = block.bigs('micros');
    this.#kind = block.numbers('kind');
    this.#shared = block.numbers('shared');
    this.#failed = block.numbers('failed');
    this.#local = block.strings('local');
    this.#remote = block.strings('remote');
  }

  span(row: number, traceId: string): V2Span {
    const span: V2Span = {
      traceId,
      id: hex16(this.#id[row]!),
      timestamp: Number(this.#micros[row]!),
    };
    const parent = this.#parent[row]!;
    if (parent !== 0n) span.parentId = hex16(parent);
    const kind = KINDS[this.#kind[row]!];
    if (kind !== undefined) span.kind = kind;
    const local = this.#local.at(row);
    if (local !== '') span.localEndpoint = { serviceName: local };
    const remote = this.#remote.at(row);
    if (remote !== '') span.remoteEndpoint = { serviceName: remote };
    if (this.#shared[row] === 1) span.shared = true;
    if (this.#failed[row] === 1) span.tags = FAILED;
    return span;
  }
}

const FAILED: Record<string, string> = { error: '' };
