// Summaries of traces as JSON of protobuf: fields at their default are left out, 64-bit integers are
// strings.

import type { TraceSummary } from '../../../summaries.ts';

export function summariesJson(summaries: readonly TraceSummary[]): string {
  if (summaries.length === 0) return '{}';
  return JSON.stringify({ summaries: summaries.map(summaryObject) });
}

function summaryObject(summary: TraceSummary): object {
  return {
    traceId: summary.traceId,
    rootServiceName: summary.root?.service || undefined,
    rootOperationName: summary.root?.operation || undefined,
    minStartTimeUnixNano: nanos(summary.startUnixNanos),
    maxEndTimeUnixNano: nanos(summary.endUnixNanos),
    spanCount: summary.spans || undefined,
    errorSpanCount: summary.errors || undefined,
    orphanSpanCount: summary.orphans || undefined,
    services: summary.services.map(({ name, spans, errors }) => ({
      name,
      spanCount: spans || undefined,
      errorSpanCount: errors || undefined,
    })),
  };
}

function nanos(value: bigint): string | undefined {
  return value === 0n ? undefined : `${value}`;
}
