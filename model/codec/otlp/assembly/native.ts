// Closes a block: the Native format as a list of segments {u32 address, u32 length} that the host
// copies out one after the other. Format: ../README.md.

import {
  C_DURATION,
  C_FLAGS,
  C_H,
  C_KIND,
  C_PARENT_ID,
  C_RESOURCE_ID,
  C_SCOPE_ID,
  C_SPAN_ID,
  C_STATUS,
  C_TRACE_HI,
  C_TRACE_LO,
  C_TS,
  HEADER,
  O_ATTR_B,
  O_ATTR_D,
  O_ATTR_I,
  O_ATTR_S,
  O_ATTR_X,
  O_EVENT_KV,
  O_RESOURCE_ATTRS,
  O_SCOPE_ATTRS,
  SEGMENTS,
  V_ATTR_B,
  V_ATTR_D,
  V_ATTR_I,
  V_ATTR_S,
  V_ATTR_X,
  V_EVENTS,
  V_EVENT_KV,
  V_LINKS,
  V_RESOURCE,
  V_RESOURCE_ATTRS,
  V_RESOURCE_URL,
  V_REST,
  V_SCOPE,
  V_SCOPE_ATTRS,
  V_SCOPE_URL,
  V_STATUS_MESSAGE,
} from './layout';
import {
  D_ATTR_B,
  D_ATTR_D,
  D_ATTR_I,
  D_ATTR_S,
  D_ATTR_X,
  D_NAME,
  D_RESOURCE,
  D_SCOPE,
  D_SERVICE,
  D_TENANT,
  cellCount,
  indexesAt,
  keyCount,
  keysAt,
  keysLength,
  narrowIndexes,
} from './dictionary';
import { putVarint } from './reader';
import {
  attrB,
  attrD,
  attrI,
  attrS,
  attrX,
  eventKv,
  events,
  links,
  resource,
  resourceAttrs,
  resourceUrl,
  rest,
  rows,
  scope,
  scopeAttrs,
  scopeUrl,
  statusMessage,
} from './sinks';

const COLUMNS: u32 = 31;
let to: usize = 0;
let headerAt: usize = 0;
export let segmentCount: u32 = 0;

/** Writes the segments of the block at hand. */
export function closeBlock(): void {
  const n = <usize>rows;
  to = HEADER;
  headerAt = HEADER;
  segmentCount = 0;
  to = putVarint(to, COLUMNS);
  to = putVarint(to, rows);
  lowCardinality('tenant', D_TENANT);
  column('trace_lo', 'UInt64', C_TRACE_LO, n << 3);
  column('trace_hi', 'UInt64', C_TRACE_HI, n << 3);
  column('span_id', 'UInt64', C_SPAN_ID, n << 3);
  column('parent_id', 'UInt64', C_PARENT_ID, n << 3);
  column('h', 'UInt32', C_H, n << 2);
  column('ts', "DateTime64(9, 'UTC')", C_TS, n << 3);
  column('duration', 'Int64', C_DURATION, n << 3);
  lowCardinality('service', D_SERVICE);
  lowCardinality('name', D_NAME);
  column('kind', 'UInt8', C_KIND, n);
  column('status', 'UInt8', C_STATUS, n);
  column('status_message', 'String', V_STATUS_MESSAGE, statusMessage - V_STATUS_MESSAGE);
  column('flags', 'UInt32', C_FLAGS, n << 2);
  column('resource_id', 'UInt64', C_RESOURCE_ID, n << 3);
  column('scope_id', 'UInt64', C_SCOPE_ID, n << 3);
  map('attr_s', 'Map(LowCardinality(String), String)', O_ATTR_S, D_ATTR_S, V_ATTR_S, attrS);
  map('attr_i', 'Map(LowCardinality(String), Int64)', O_ATTR_I, D_ATTR_I, V_ATTR_I, attrI);
  map('attr_d', 'Map(LowCardinality(String), Float64)', O_ATTR_D, D_ATTR_D, V_ATTR_D, attrD);
  map('attr_b', 'Map(LowCardinality(String), UInt8)', O_ATTR_B, D_ATTR_B, V_ATTR_B, attrB);
  map('attr_x', 'Map(LowCardinality(String), String)', O_ATTR_X, D_ATTR_X, V_ATTR_X, attrX);
  column('events', 'String', V_EVENTS, events - V_EVENTS);
  column('links', 'String', V_LINKS, links - V_LINKS);
  column('rest', 'String', V_REST, rest - V_REST);
  column('event_kv', 'Array(UInt64)', O_EVENT_KV, n << 3);
  segment(V_EVENT_KV, eventKv - V_EVENT_KV);
  column('resource', 'String', V_RESOURCE, resource - V_RESOURCE);
  column('resource_schema_url', 'String', V_RESOURCE_URL, resourceUrl - V_RESOURCE_URL);
  map('resource_attrs', 'Map(LowCardinality(String), String)', O_RESOURCE_ATTRS, D_RESOURCE, V_RESOURCE_ATTRS, resourceAttrs);
  column('scope', 'String', V_SCOPE, scope - V_SCOPE);
  column('scope_schema_url', 'String', V_SCOPE_URL, scopeUrl - V_SCOPE_URL);
  map('scope_attrs', 'Map(LowCardinality(String), String)', O_SCOPE_ATTRS, D_SCOPE, V_SCOPE_ATTRS, scopeAttrs);
}

function segment(at: usize, length: usize): void {
  flushHeader();
  if (length == 0) return;
  addSegment(at, length);
}

function addSegment(at: usize, length: usize): void {
  const entry = SEGMENTS + (<usize>segmentCount << 3);
  store<u32>(entry, <u32>at);
  store<u32>(entry + 4, <u32>length);
  segmentCount++;
}

/** Small pieces gather in HEADER until column data comes. */
function flushHeader(): void {
  if (to > headerAt) addSegment(headerAt, to - headerAt);
  headerAt = to;
}

/** Literals only: a string made at run time would be allocated, and nothing is ever freed. */
function text(s: string): void {
  to = putVarint(to, s.length);
  for (let i = 0; i < s.length; i++) store<u8>(to++, <u8>s.charCodeAt(i));
}

function word(value: u64): void {
  store<u64>(to, value);
  to += 8;
}

function column(name: string, type: string, at: usize, length: usize): void {
  text(name);
  text(type);
  segment(at, length);
}

function lowCardinality(name: string, dictionary: u32): void {
  text(name);
  text('LowCardinality(String)');
  word(1);
  dictionaryBody(dictionary);
}

function map(name: string, type: string, offsets: usize, dictionary: u32, at: usize, end: usize): void {
  text(name);
  text(type);
  word(1);
  segment(offsets, <usize>rows << 3);
  dictionaryBody(dictionary);
  segment(at, end - at);
}

function dictionaryBody(dictionary: u32): void {
  const cells = cellCount(dictionary);
  if (cells == 0) return;
  const keys = keyCount(dictionary);
  const narrow = keys <= 256;
  word(narrow ? 0x600 : 0x601);
  word(keys);
  segment(keysAt(dictionary), keysLength(dictionary));
  word(cells);
  if (narrow) narrowIndexes(dictionary);
  segment(indexesAt(dictionary), narrow ? <usize>cells : <usize>cells << 1);
}
