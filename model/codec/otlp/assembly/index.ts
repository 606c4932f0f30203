// First pass over a group of requests: where each span and its resource and scope stand, and in
// which order the rows go. Requests must have passed the check; bounds are held all the same.

import {
  GROUPS,
  GROUPS_MAX,
  GROUP_ENTRY,
  ORDER,
  ORDER_TEMP,
  RESOURCE_BYTES_MAX,
  SPANS,
  SPANS_MAX,
  SPAN_BYTES_MAX,
  SPAN_ENTRY,
} from './layout';
import {
  R_BAD_PARENT_ID,
  R_BAD_SPAN_ID,
  R_BAD_TRACE_ID,
  R_KEPT,
  R_SPAN_TOO_LARGE,
  countOutcome,
  rejectKept,
  timeOutcome,
  zeroId,
} from './check';
import { P, readFixed64, readLength, readTag, seek, skipField } from './reader';
import { xxh64 } from './hash';

// A span's entry. The sort compares the first five words.
export const S_BUCKET: usize = 0; // u64: tenant number << 40 | five-minute bucket
export const S_LO: usize = 8; // u64
export const S_HI: usize = 16; // u64
export const S_START: usize = 24; // u64
export const S_ID: usize = 32; // u64
export const S_AT: usize = 40; // u32: address of the Span message
export const S_LENGTH: usize = 44; // u32
export const S_GROUP: usize = 48; // u32

// A group: one ScopeSpans with its resource.
export const G_RESOURCE_AT: usize = 0; // u32, then its length, and so on in pairs
export const G_RESOURCE_LENGTH: usize = 4;
export const G_RESOURCE_URL_AT: usize = 8;
export const G_RESOURCE_URL_LENGTH: usize = 12;
export const G_SCOPE_AT: usize = 16;
export const G_SCOPE_LENGTH: usize = 20;
export const G_SCOPE_URL_AT: usize = 24;
export const G_SCOPE_URL_LENGTH: usize = 28;
export const G_RESOURCE_ID: usize = 32; // u64
export const G_SCOPE_ID: usize = 40; // u64
export const G_SERVICE_AT: usize = 48; // u32
export const G_SERVICE_LENGTH: usize = 52; // u32; 0 = unknown
export const G_TENANT: usize = 56; // u32

const FIVE_MINUTES_NANOS: u64 = 300 * 1000000000;

export let spanCount: u32 = 0;
let groupCount: u32 = 0;

export function resetIndex(): void {
  spanCount = 0;
  groupCount = 0;
}

export function spanEntry(i: u32): usize {
  return SPANS + <usize>i * SPAN_ENTRY;
}

export function groupEntry(i: u32): usize {
  return GROUPS + <usize>i * GROUP_ENTRY;
}

/** Adds the spans of the request at [at, at + length) for tenant number `tenant`. */
export function indexRequest(at: usize, length: usize, tenant: u32): void {
  seek(at);
  const end = at + length;
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10) {
      const size = readLength(end);
      indexResourceSpans(P + size, tenant);
    } else skipField(tag, end);
  }
}

function indexResourceSpans(end: usize, tenant: u32): void {
  const firstGroup = groupCount;
  const firstSpan = spanCount;
  let at: u32 = 0, length: u32 = 0, urlAt: u32 = 0, urlLength: u32 = 0;
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10) {
      length = readLength(end);
      at = <u32>P;
      seek(P + length);
    } else if (tag == 26) {
      urlLength = readLength(end);
      urlAt = <u32>P;
      seek(P + urlLength);
    } else if (tag == 18) {
      const size = readLength(end);
      indexScopeSpans(P + size, tenant);
    } else skipField(tag, end);
  }
  if (max(length, urlLength) > RESOURCE_BYTES_MAX) {
    rejectKept(spanCount - firstSpan);
    spanCount = firstSpan;
    groupCount = firstGroup;
    return;
  }
  if (groupCount == firstGroup) return;
  const id = xxh64(at, length, xxh64(urlAt, urlLength, 0));
  findService(at, at + length);
  seek(end);
  for (let g = firstGroup; g < groupCount; g++) {
    const e = groupEntry(g);
    store<u32>(e + G_RESOURCE_AT, at);
    store<u32>(e + G_RESOURCE_LENGTH, length);
    store<u32>(e + G_RESOURCE_URL_AT, urlAt);
    store<u32>(e + G_RESOURCE_URL_LENGTH, urlLength);
    store<u64>(e + G_RESOURCE_ID, id);
    store<u32>(e + G_SERVICE_AT, serviceAt);
    store<u32>(e + G_SERVICE_LENGTH, serviceLength);
    store<u32>(e + G_TENANT, tenant);
  }
}

function indexScopeSpans(end: usize, tenant: u32): void {
  const firstSpan = spanCount;
  const group = groupCount;
  let at: u32 = 0, length: u32 = 0, urlAt: u32 = 0, urlLength: u32 = 0;
  while (P < end) {
    const tag = readTag(end);
    if (tag == 18) {
      const size = readLength(end);
      indexSpan(P + size, size, group, tenant);
    } else if (tag == 10) {
      length = readLength(end);
      at = <u32>P;
      seek(P + length);
    } else if (tag == 26) {
      urlLength = readLength(end);
      urlAt = <u32>P;
      seek(P + urlLength);
    } else skipField(tag, end);
  }
  if (max(length, urlLength) > RESOURCE_BYTES_MAX) {
    rejectKept(spanCount - firstSpan);
    spanCount = firstSpan;
  }
  if (spanCount == firstSpan) return;
  if (group >= GROUPS_MAX) unreachable();
  groupCount = group + 1;
  const e = groupEntry(group);
  store<u32>(e + G_SCOPE_AT, at);
  store<u32>(e + G_SCOPE_LENGTH, length);
  store<u32>(e + G_SCOPE_URL_AT, urlAt);
  store<u32>(e + G_SCOPE_URL_LENGTH, urlLength);
  store<u64>(e + G_SCOPE_ID, xxh64(at, length, xxh64(urlAt, urlLength, 0)));
}

function indexSpan(end: usize, size: u32, group: u32, tenant: u32): void {
  const at = P;
  let trace: usize = 0, id: usize = 0, start: u64 = 0;
  let parent = true;
  while (P < end) {
    const tag = readTag(end);
    if (tag == 74) {
      const length = readLength(end);
      seek(P + length);
    } else if (tag == 10) {
      const length = readLength(end);
      trace = length == 16 && !zeroId(P, 16) ? P : 0;
      seek(P + length);
    } else if (tag == 18) {
      const length = readLength(end);
      id = length == 8 && !zeroId(P, 8) ? P : 0;
      seek(P + length);
    } else if (tag == 34) {
      const length = readLength(end);
      parent = length == 0 || length == 8;
      seek(P + length);
    } else if (tag == 57) start = readFixed64(end);
    else skipField(tag, end);
  }
  let outcome = timeOutcome(start);
  if (size > SPAN_BYTES_MAX) outcome = R_SPAN_TOO_LARGE;
  else if (trace == 0) outcome = R_BAD_TRACE_ID;
  else if (id == 0) outcome = R_BAD_SPAN_ID;
  else if (!parent) outcome = R_BAD_PARENT_ID;
  countOutcome(outcome);
  if (outcome != R_KEPT) return;
  if (spanCount >= SPANS_MAX) unreachable();
  const e = spanEntry(spanCount++);
  store<u64>(e + S_BUCKET, ((<u64>tenant) << 40) | (start / FIVE_MINUTES_NANOS));
  store<u64>(e + S_LO, bswap(load<u64>(trace + 8)));
  store<u64>(e + S_HI, bswap(load<u64>(trace)));
  store<u64>(e + S_START, start);
  store<u64>(e + S_ID, bswap(load<u64>(id)));
  store<u32>(e + S_AT, <u32>at);
  store<u32>(e + S_LENGTH, size);
  store<u32>(e + S_GROUP, group);
}

let serviceAt: u32 = 0;
let serviceLength: u32 = 0;

/** Finds the last `service.name` that is a string; leaves length 0 otherwise. */
function findService(at: usize, end: usize): void {
  serviceAt = 0;
  serviceLength = 0;
  seek(at);
  while (P < end) {
    const tag = readTag(end);
    if (tag != 10) {
      skipField(tag, end);
      continue;
    }
    const size = readLength(end);
    const stop = P + size;
    let key = false;
    let value: usize = 0, valueEnd: usize = 0;
    while (P < stop) {
      const inner = readTag(stop);
      if (inner != 10 && inner != 18) {
        skipField(inner, stop);
        continue;
      }
      const length = readLength(stop);
      if (inner == 10) {
        // "service.name" as two little-endian words
        key =
          length == 12 &&
          load<u64>(P) == 0x2e65636976726573 &&
          load<u32>(P + 8) == 0x656d616e;
      } else {
        value = P;
        valueEnd = P + length;
      }
      seek(P + length);
    }
    if (key) stringValue(value, valueEnd);
    seek(stop);
  }
}

/** Sets the service from an AnyValue message, or empties it where that holds no string. */
function stringValue(at: usize, end: usize): void {
  serviceLength = 0;
  seek(at);
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10) {
      serviceLength = readLength(end);
      serviceAt = <u32>P;
      seek(P + serviceLength);
    } else {
      if (tag >> 3 <= 7) serviceLength = 0;
      skipField(tag, end);
    }
  }
}

// @ts-ignore: decorator
@inline
function before(a: u32, b: u32): bool {
  const x = spanEntry(a);
  const y = spanEntry(b);
  const p = load<u64>(x + S_BUCKET), q = load<u64>(y + S_BUCKET);
  if (p != q) return p < q;
  const r = load<u64>(x + S_LO), s = load<u64>(y + S_LO);
  if (r != s) return r < s;
  return beforeWithinLow(x, y);
}

function beforeWithinLow(x: usize, y: usize): bool {
  const p = load<u64>(x + S_HI), q = load<u64>(y + S_HI);
  if (p != q) return p < q;
  const r = load<u64>(x + S_START), s = load<u64>(y + S_START);
  if (r != s) return r < s;
  const t = load<u64>(x + S_ID), u = load<u64>(y + S_ID);
  return t <= u;
}

/** Merge sort of span numbers, stable; the result stands at ORDER. */
export function sortSpans(): void {
  const n = spanCount;
  for (let i: u32 = 0; i < n; i++) store<u32>(ORDER + (<usize>i << 2), i);
  let from = ORDER;
  let to = ORDER_TEMP;
  for (let width: u32 = 1; width < n; width <<= 1) {
    for (let low: u32 = 0; low < n; low += width << 1) {
      merge(from, to, low, min(low + width, n), min(low + (width << 1), n));
    }
    const swap = from;
    from = to;
    to = swap;
  }
  if (from != ORDER) memory.copy(ORDER, from, <usize>n << 2);
}

function merge(from: usize, to: usize, low: u32, middle: u32, high: u32): void {
  let a = low;
  let b = middle;
  for (let k = low; k < high; k++) {
    let take: u32;
    if (b >= high) take = a++;
    else if (a >= middle) take = b++;
    else if (before(load<u32>(from + (<usize>a << 2)), load<u32>(from + (<usize>b << 2)))) take = a++;
    else take = b++;
    store<u32>(to + (<usize>k << 2), load<u32>(from + (<usize>take << 2)));
  }
}
