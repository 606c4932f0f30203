// Jaeger spans as Jaeger's own collector writes them to Kafka as JSON: each by itself, defaults left
// out, enums by name, 64-bit numbers as strings. By an encoder that shares nothing with ours.

import type { PlainBatch, PlainLog, PlainSpan, PlainTag } from './jaeger_span.ts';

export function encodeJsonSpans(batch: PlainBatch): Buffer[] {
  const process = { serviceName: batch.service, tags: batch.processTags.map(jsonTag) };
  return batch.spans.map((span) => Buffer.from(JSON.stringify({ ...jsonSpan(span), process })));
}

function jsonSpan(span: PlainSpan): object {
  return {
    traceId: base64(span.traceId),
    spanId: base64(span.spanId),
    ...(span.name === '' ? {} : { operationName: span.name }),
    references: span.references.map((reference) => ({
      traceId: base64(reference.traceId),
      spanId: base64(reference.spanId),
      ...(reference.type === 'child_of' ? {} : { refType: 'FOLLOWS_FROM' }),
    })),
    ...(span.flags === 0 ? {} : { flags: span.flags }),
    startTime: time(span.startMicros),
    duration: duration(span.durationMicros),
    tags: span.tags.map(jsonTag),
    logs: span.logs.map(jsonLog),
  };
}

function jsonLog(log: PlainLog): object {
  return { timestamp: time(log.micros), fields: log.fields.map(jsonTag) };
}

function jsonTag({ key, value }: PlainTag): object {
  switch (value[0]) {
    case 'string':
      return { key, ...(value[1] === '' ? {} : { vStr: value[1] }) };
    case 'bool':
      return { key, vType: 'BOOL', ...(value[1] ? { vBool: true } : {}) };
    case 'int':
      return { key, vType: 'INT64', ...(value[1] === 0n ? {} : { vInt64: String(value[1]) }) };
    case 'double': {
      const finite = Number.isFinite(value[1]);
      return { key, vType: 'FLOAT64', vFloat64: finite ? value[1] : String(value[1]) };
    }
    case 'binary':
      return { key, vType: 'BINARY', vBinary: value[1] };
  }
}

function time(micros: bigint): string {
  const seconds = new Date(Number(micros / 1_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}${fraction(micros % 1_000_000n)}Z`;
}

function duration(micros: bigint): string {
  const absolute = micros < 0n ? -micros : micros;
  const sign = micros < 0n ? '-' : '';
  return `${sign}${absolute / 1_000_000n}${fraction(absolute % 1_000_000n)}s`;
}

/** None, three or six digits. */
function fraction(micros: bigint): string {
  const digits = String(micros).padStart(6, '0');
  if (micros === 0n) return '';
  return digits.endsWith('000') ? `.${digits.slice(0, 3)}` : `.${digits}`;
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
