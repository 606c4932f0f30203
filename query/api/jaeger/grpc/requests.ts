// Requests of Jaeger's two query services, read from their protobuf bytes by hand: a field that comes
// twice counts as protobuf says, and no key of a map can be anything but a key. Field numbers:
// proto/jaeger. Throws WireError on bytes that are no protobuf, RefusalError `malformed` on what we
// do not answer.

import type { WireReader } from '../../../../model/codec/otlp/wire_reader.ts';
import type { TraceKey } from '../../../../storage/clickhouse/statement.ts';
import type { DependencyFilter } from '../../../dependencies.ts';
import type { FindQuery } from '../../../find.ts';
import { traceKeyOf } from '../../../get.ts';
import {
  checkedName,
  checkedTags,
  findQueryOf,
  LIMIT_DEFAULT,
  LIMIT_MAX,
  refuse,
} from '../find_query.ts';
import { parsePathTraceId, WINDOW_NANOS } from '../search_params.ts';

export interface GetRequest {
  readonly key: TraceKey;
  readonly raw: boolean;
}

export interface FindRequest {
  readonly query: FindQuery;
  readonly raw: boolean;
}

/** GetTraceRequest and ArchiveTraceRequest of api_v2. */
export function readV2Get(request: WireReader): GetRequest {
  let id = '';
  let raw = false;
  while (request.next()) {
    if (request.field === 1) id = request.hex();
    else if (request.field === 4) raw = request.bool();
    else request.skip();
  }
  if (/^0*$/.test(id)) refuse('uninitialized TraceID is not allowed');
  if (id.length !== 16 && id.length !== 32) {
    refuse(`invalid length for TraceID: expected 16 or 8 bytes, received ${id.length / 2}`);
  }
  return { key: traceKeyOf(id)!, raw };
}

export function readV3Get(request: WireReader): GetRequest {
  let id = '';
  let raw = false;
  while (request.next()) {
    if (request.field === 1) id = request.text();
    else if (request.field === 4) raw = request.bool();
    else request.skip();
  }
  if (id === '') refuse('trace_id is required');
  return { key: parsePathTraceId(id, 'malformed trace_id'), raw };
}

/** Without a window: the last 48 hours, as over HTTP. */
export function readV2Find(request: WireReader, tenant: string, nowUnixNanos: bigint): FindRequest {
  const asked = readFind(request);
  const end = asked.max ?? nowUnixNanos;
  const start = end < WINDOW_NANOS - INT64_MAX ? -INT64_MAX : end - WINDOW_NANOS;
  return findOf(tenant, asked, asked.min ?? start, end);
}

export function readV3Find(request: WireReader, tenant: string): FindRequest {
  const asked = readFind(request);
  if (asked.hasFilter) {
    // Never ignored: without it there would be more traces than were asked for.
    refuse('filter is not supported here; use attributes and the other fields');
  }
  if (asked.min === undefined || asked.max === undefined) {
    return refuse('start time min and max are required parameters');
  }
  // The end is exclusive, ours is not.
  return findOf(tenant, asked, asked.min, asked.max - 1n);
}

export function readOperations(request: WireReader): { service: string; kind: string } {
  let service = '';
  let kind = '';
  while (request.next()) {
    if (request.field === 1) service = request.text();
    else if (request.field === 2) kind = request.text();
    else request.skip();
  }
  const named = checkedName('service', service);
  return { service: named ?? refuse("parameter 'service' is required"), kind };
}

/** `problem` is told which end is missing. */
export function readDependencies(
  request: WireReader,
  tenant: string,
  problem: (missing: 'start_time' | 'end_time') => string,
): DependencyFilter {
  let from: bigint | undefined;
  let to: bigint | undefined;
  while (request.next()) {
    if (request.field === 1) from = readTime(request.message(), 'start_time');
    else if (request.field === 2) to = readTime(request.message(), 'end_time');
    else request.skip();
  }
  if (from === undefined) return refuse(problem('start_time'));
  if (to === undefined) return refuse(problem('end_time'));
  if (to <= from) return refuse('end_time must be after start_time');
  return { tenant, fromUnixNanos: from, toUnixNanos: to };
}

interface Asked {
  service: string;
  operation: string;
  readonly tags: [string, string][];
  min: bigint | undefined;
  max: bigint | undefined;
  durationMin: bigint;
  durationMax: bigint;
  depth: bigint;
  raw: boolean;
  hasFilter: boolean;
}

/** FindTracesRequest and FindTraceSummariesRequest: the same in both versions, but for `filter`. */
function readFind(request: WireReader): Asked {
  let query: Asked | undefined;
  while (request.next()) {
    if (request.field === 1) query = readQuery(request.message());
    else request.skip();
  }
  return query ?? refuse('missing query');
}

function readQuery(reader: WireReader): Asked {
  const asked: Asked = {
    service: '',
    operation: '',
    tags: [],
    min: undefined,
    max: undefined,
    durationMin: 0n,
    durationMax: 0n,
    depth: 0n,
    raw: false,
    hasFilter: false,
  };
  while (reader.next()) {
    if (reader.field === 1) asked.service = reader.text();
    else if (reader.field === 2) asked.operation = reader.text();
    else if (reader.field === 3) asked.tags.push(readEntry(reader.message()));
    else if (reader.field === 4) asked.min = readTime(reader.message(), 'start_time_min');
    else if (reader.field === 5) asked.max = readTime(reader.message(), 'start_time_max');
    else if (reader.field === 6) asked.durationMin = readDuration(reader.message(), 'duration_min');
    else if (reader.field === 7) asked.durationMax = readDuration(reader.message(), 'duration_max');
    else if (reader.field === 8) asked.depth = reader.int64();
    else if (reader.field === 9) asked.raw = reader.bool();
    else {
      if (reader.field === 10) asked.hasFilter = true;
      reader.skip();
    }
  }
  return asked;
}

function findOf(tenant: string, asked: Asked, start: bigint, end: bigint): FindRequest {
  if (start > end) refuse('start_time_min must be before start_time_max');
  const { durationMin: min, durationMax: max, depth } = asked;
  if (min !== 0n && max !== 0n && max < min) {
    refuse('duration_max must not be less than duration_min');
  }
  if (depth < 0n || depth > BigInt(LIMIT_MAX)) {
    refuse(`search_depth must be between 1 and ${LIMIT_MAX}, received ${depth}`);
  }
  const query = findQueryOf(tenant, {
    service: checkedName('service_name', asked.service),
    operation: checkedName('operation_name', asked.operation),
    startUnixNanos: start,
    endUnixNanos: end,
    durationNanosMin: min === 0n ? undefined : min,
    durationNanosMax: max === 0n ? undefined : max,
    tags: checkedTags(asked.tags),
    limit: depth === 0n ? LIMIT_DEFAULT : Number(depth),
  });
  return { query, raw: asked.raw };
}

function readEntry(reader: WireReader): [string, string] {
  const entry: [string, string] = ['', ''];
  while (reader.next()) {
    if (reader.field === 1) entry[0] = reader.text();
    else if (reader.field === 2) entry[1] = reader.text();
    else reader.skip();
  }
  return entry;
}

const INT64_MAX = 2n ** 63n - 1n;
const SECOND_NANOS = 1_000_000_000n;
/** The first second of year 1: what Go's clients send for a time that is not set. */
const GO_ZERO_SECONDS = -62_135_596_800n;

/** google.protobuf.Timestamp as nanoseconds since 1970; undefined for Go's zero time. */
function readTime(reader: WireReader, name: string): bigint | undefined {
  const { seconds, nanos } = readSeconds(reader);
  if (seconds === GO_ZERO_SECONDS) return undefined;
  const time = seconds * SECOND_NANOS + nanos;
  if (time < -INT64_MAX || time > INT64_MAX) refuse(`${name} must be between 1677 and 2262`);
  return time;
}

/** google.protobuf.Duration in nanoseconds. */
function readDuration(reader: WireReader, name: string): bigint {
  const { seconds, nanos } = readSeconds(reader);
  const duration = seconds * SECOND_NANOS + nanos;
  if (duration < 0n) refuse(`${name} must not be negative`);
  return duration > INT64_MAX ? INT64_MAX : duration;
}

function readSeconds(reader: WireReader): { seconds: bigint; nanos: bigint } {
  let seconds = 0n;
  let nanos = 0n;
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.int64();
    else if (reader.field === 2) nanos = reader.int64();
    else reader.skip();
  }
  return { seconds, nanos };
}
