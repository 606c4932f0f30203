// Rows of `spans` to spans. Resources and scopes are shared objects, one an id.

import { readEvents, readLinks, readRest, readValue } from '../model/codec/otlp/read.ts';
import type { Attribute, Resource, Scope, Span, SpanKind, StatusCode } from '../model/span.ts';
import type { NativeBlock } from '../storage/clickhouse/native_column.ts';
import { hex16, traceIdText } from '../storage/clickhouse/statement.ts';

/** What a row's resource_id and scope_id stand for. */
export interface Contents {
  resource(id: bigint): Resource;
  scope(id: bigint): Scope;
}

/** Reads one row of a block at a time, each time anew. */
export function rowReader(block: NativeBlock, contents: Contents): (row: number) => Span {
  const high = block.bigs('trace_hi');
  const low = block.bigs('trace_lo');
  const spanId = block.bigs('span_id');
  const parentId = block.bigs('parent_id');
  const start = block.bigs('ts');
  const duration = block.bigs('duration');
  const service = block.strings('service');
  const name = block.strings('name');
  const kind = block.numbers('kind');
  const status = block.numbers('status');
  const statusMessage = block.strings('status_message');
  const flags = block.numbers('flags');
  const resourceId = block.bigs('resource_id');
  const scopeId = block.bigs('scope_id');
  const attributes = attributesReader(block);
  const events = block.strings('events');
  const links = block.strings('links');
  const rest = block.strings('rest');
  return (row) => ({
    traceId: traceIdText({ high: high[row]!, low: low[row]! }),
    spanId: hex16(spanId[row]!),
    parentSpanId: parentId[row] === 0n ? '' : hex16(parentId[row]!),
    name: name.at(row),
    service: service.at(row),
    kind: kind[row] as SpanKind,
    startUnixNanos: start[row]!,
    durationNanos: duration[row]!,
    statusCode: status[row] as StatusCode,
    statusMessage: statusMessage.at(row),
    flags: flags[row]!,
    attributes: attributes(row),
    events: readEvents(events.bytesAt(row)),
    links: readLinks(links.bytesAt(row)),
    ...readRest(rest.bytesAt(row)),
    resource: contents.resource(resourceId[row]!),
    scope: contents.scope(scopeId[row]!),
  });
}

type ReadAttributes = (row: number, into: Attribute[]) => void;

/** The five typed maps as one list: strings, ints, doubles, bools, then the others. */
function attributesReader(block: NativeBlock): (row: number) => Attribute[] {
  const readers = [
    stringAttributes(block),
    intAttributes(block),
    doubleAttributes(block),
    boolAttributes(block),
    otherAttributes(block),
  ];
  return (row) => {
    const into: Attribute[] = [];
    for (const read of readers) read(row, into);
    return into;
  };
}

function stringAttributes(block: NativeBlock): ReadAttributes {
  const { ends, keys, values } = block.map('attr_s');
  if (values.kind !== 'string') throw new Error('Expected strings in attr_s.');
  return (row, into) => {
    for (let i = row === 0 ? 0 : ends[row - 1]!; i < ends[row]!; i++) {
      into.push({ key: keys.at(i), value: { type: 'string', value: values.at(i) } });
    }
  };
}

function intAttributes(block: NativeBlock): ReadAttributes {
  const { ends, keys, values } = block.map('attr_i');
  if (values.kind !== 'big') throw new Error('Expected 64-bit integers in attr_i.');
  return (row, into) => {
    for (let i = row === 0 ? 0 : ends[row - 1]!; i < ends[row]!; i++) {
      into.push({ key: keys.at(i), value: { type: 'int', value: values.values[i]! } });
    }
  };
}

function doubleAttributes(block: NativeBlock): ReadAttributes {
  const { ends, keys, values } = block.map('attr_d');
  if (values.kind !== 'number') throw new Error('Expected doubles in attr_d.');
  return (row, into) => {
    for (let i = row === 0 ? 0 : ends[row - 1]!; i < ends[row]!; i++) {
      into.push({ key: keys.at(i), value: { type: 'double', value: values.values[i]! } });
    }
  };
}

function boolAttributes(block: NativeBlock): ReadAttributes {
  const { ends, keys, values } = block.map('attr_b');
  if (values.kind !== 'number') throw new Error('Expected bits in attr_b.');
  return (row, into) => {
    for (let i = row === 0 ? 0 : ends[row - 1]!; i < ends[row]!; i++) {
      into.push({ key: keys.at(i), value: { type: 'bool', value: values.values[i] !== 0 } });
    }
  };
}

function otherAttributes(block: NativeBlock): ReadAttributes {
  const { ends, keys, values } = block.map('attr_x');
  if (values.kind !== 'string') throw new Error('Expected AnyValue messages in attr_x.');
  return (row, into) => {
    for (let i = row === 0 ? 0 : ends[row - 1]!; i < ends[row]!; i++) {
      into.push({ key: keys.at(i), value: readValue(values.bytesAt(i)) });
    }
  };
}
