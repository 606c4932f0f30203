// The collector's check: the whole request is walked to the last nested value, nothing is kept but
// counts. Malformed bytes trap. Grammar and rules: ../README.md.

import {
  FUTURE_SECONDS_MAX,
  RESOURCE_BYTES_MAX,
  SPAN_BYTES_MAX,
  VALUE_DEPTH_MAX,
} from './layout';
import { P, readFixed32, readFixed64, readLength, readTag, readVarint, seek, skipField } from './reader';

/** Reject reasons, in the order of ../README.md; `rejectedCount` answers by these numbers. */
export const R_KEPT: u32 = 0;
export const R_SPAN_TOO_LARGE: u32 = 1;
export const R_BAD_TRACE_ID: u32 = 2;
export const R_BAD_SPAN_ID: u32 = 3;
export const R_BAD_PARENT_ID: u32 = 4;
export const R_TOO_OLD: u32 = 5;
export const R_TOO_NEW: u32 = 6;
export const R_RESOURCE_TOO_LARGE: u32 = 7;
export const R_COUNT: u32 = 8;

const outcomes = new StaticArray<u32>(8);
let oldest: u64 = 0;
let newest: u64 = ~(<u64>0);

export function resetOutcomes(): void {
  for (let i: u32 = 0; i < R_COUNT; i++) unchecked((outcomes[i] = 0));
}

export function outcomeCount(reason: u32): u32 {
  return reason < R_COUNT ? unchecked(outcomes[reason]) : 0;
}

// @ts-ignore: decorator
@inline
export function countOutcome(reason: u32): void {
  unchecked(outcomes[reason]++);
}

/** Kept spans whose scope or resource turned out to be too large are rejected after all. */
export function rejectKept(count: u32): void {
  unchecked((outcomes[R_KEPT] -= count));
  unchecked((outcomes[R_RESOURCE_TOO_LARGE] += count));
}

/** The window that a span may start in, from the record's time; unsigned nanoseconds, saturating. */
export function setWindow(recordUnixNanos: u64, maxAgeSeconds: u64): void {
  const age = maxAgeSeconds * 1000000000;
  oldest = recordUnixNanos > age ? recordUnixNanos - age : 0;
  const ahead = FUTURE_SECONDS_MAX * 1000000000;
  newest = recordUnixNanos < ~(<u64>0) - ahead ? recordUnixNanos + ahead : ~(<u64>0);
}

// @ts-ignore: decorator
@inline
export function timeOutcome(start: u64): u32 {
  return start < oldest ? R_TOO_OLD : start > newest ? R_TOO_NEW : R_KEPT;
}

/** Walks the request at [at, at + length). */
export function checkRequest(at: usize, length: usize): void {
  resetOutcomes();
  seek(at);
  const end = at + length;
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10) {
      const size = readLength(end);
      checkResourceSpans(P + size);
    } else known(tag, 1, 1, end);
  }
}

/** A field that is not walked: refused if it is one of ours [first, last] with a wrong wire type. */
function known(tag: u32, first: u32, last: u32, end: usize): void {
  const field = tag >> 3;
  if (field >= first && field <= last) unreachable();
  skipField(tag, end);
}

function checkResourceSpans(end: usize): void {
  let resourceBytes: u32 = 0;
  let urlBytes: u32 = 0;
  const before = unchecked(outcomes[R_KEPT]);
  while (P < end) {
    const tag = readTag(end);
    if (tag == 18) {
      const size = readLength(end);
      checkScopeSpans(P + size);
    } else if (tag == 10) {
      resourceBytes = readLength(end);
      checkResource(P + resourceBytes);
    } else if (tag == 26) {
      urlBytes = readLength(end);
      seek(P + urlBytes);
    } else known(tag, 1, 3, end);
  }
  if (max(resourceBytes, urlBytes) > RESOURCE_BYTES_MAX) rejectKept(unchecked(outcomes[R_KEPT]) - before);
}

function checkResource(end: usize): void {
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10) {
      const size = readLength(end);
      checkKeyValue(P + size, 1);
    } else if (tag == 16) readVarint(end);
    else if (tag == 26) {
      const size = readLength(end);
      seek(P + size);
    } else known(tag, 1, 3, end);
  }
}

function checkScopeSpans(end: usize): void {
  let scopeBytes: u32 = 0;
  let urlBytes: u32 = 0;
  const before = unchecked(outcomes[R_KEPT]);
  while (P < end) {
    const tag = readTag(end);
    if (tag == 18) {
      const size = readLength(end);
      countOutcome(checkSpan(P + size, size));
    } else if (tag == 10) {
      scopeBytes = readLength(end);
      checkScope(P + scopeBytes);
    } else if (tag == 26) {
      urlBytes = readLength(end);
      seek(P + urlBytes);
    } else known(tag, 1, 3, end);
  }
  if (max(scopeBytes, urlBytes) > RESOURCE_BYTES_MAX) rejectKept(unchecked(outcomes[R_KEPT]) - before);
}

function checkScope(end: usize): void {
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10 || tag == 18) {
      const size = readLength(end);
      seek(P + size);
    } else if (tag == 26) {
      const size = readLength(end);
      checkKeyValue(P + size, 1);
    } else if (tag == 32) readVarint(end);
    else known(tag, 1, 4, end);
  }
}

/** An id of `length` bytes at P, all zero? Only for 8 and 16. */
// @ts-ignore: decorator
@inline
export function zeroId(at: usize, length: u32): bool {
  const first = load<u64>(at);
  return length == 16 ? (first | load<u64>(at + 8)) == 0 : first == 0;
}

function checkSpan(end: usize, size: u32): u32 {
  let traceId = false;
  let spanId = false;
  let parentId = true;
  let start: u64 = 0;
  while (P < end) {
    const tag = readTag(end);
    switch (tag) {
      case 10: {
        const length = readLength(end);
        traceId = length == 16 && !zeroId(P, 16);
        seek(P + length);
        break;
      }
      case 18: {
        const length = readLength(end);
        spanId = length == 8 && !zeroId(P, 8);
        seek(P + length);
        break;
      }
      case 34: {
        const length = readLength(end);
        parentId = length == 0 || length == 8;
        seek(P + length);
        break;
      }
      case 26:
      case 42: {
        const length = readLength(end);
        seek(P + length);
        break;
      }
      case 48:
      case 80:
      case 96:
      case 112: {
        readVarint(end);
        break;
      }
      case 57: {
        start = readFixed64(end);
        break;
      }
      case 65: {
        readFixed64(end);
        break;
      }
      case 74: {
        const length = readLength(end);
        checkKeyValue(P + length, 1);
        break;
      }
      case 90: {
        const length = readLength(end);
        checkEvent(P + length);
        break;
      }
      case 106: {
        const length = readLength(end);
        checkLink(P + length);
        break;
      }
      case 122: {
        const length = readLength(end);
        checkStatus(P + length);
        break;
      }
      case 133: {
        readFixed32(end);
        break;
      }
      default:
        known(tag, 1, 16, end);
    }
  }
  if (size > SPAN_BYTES_MAX) return R_SPAN_TOO_LARGE;
  if (!traceId) return R_BAD_TRACE_ID;
  if (!spanId) return R_BAD_SPAN_ID;
  if (!parentId) return R_BAD_PARENT_ID;
  return timeOutcome(start);
}

function checkEvent(end: usize): void {
  while (P < end) {
    const tag = readTag(end);
    if (tag == 9) readFixed64(end);
    else if (tag == 18) {
      const length = readLength(end);
      seek(P + length);
    } else if (tag == 26) {
      const length = readLength(end);
      checkKeyValue(P + length, 1);
    } else if (tag == 32) readVarint(end);
    else known(tag, 1, 4, end);
  }
}

function checkLink(end: usize): void {
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10 || tag == 18 || tag == 26) {
      const length = readLength(end);
      seek(P + length);
    } else if (tag == 34) {
      const length = readLength(end);
      checkKeyValue(P + length, 1);
    } else if (tag == 40) readVarint(end);
    else if (tag == 53) readFixed32(end);
    else known(tag, 1, 6, end);
  }
}

function checkStatus(end: usize): void {
  while (P < end) {
    const tag = readTag(end);
    if (tag == 18) {
      const length = readLength(end);
      seek(P + length);
    } else if (tag == 24) readVarint(end);
    else known(tag, 2, 3, end);
  }
}

function checkKeyValue(end: usize, depth: u32): void {
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10) {
      const length = readLength(end);
      seek(P + length);
    } else if (tag == 18) {
      const length = readLength(end);
      // Most values are one string that fills the message: two bytes decide.
      const stop = P + length;
      const plain = length >= 2 && length < 130 && load<u8>(P) == 10 && load<u8>(P + 1) == length - 2;
      if (plain && depth <= VALUE_DEPTH_MAX) seek(stop);
      else checkValue(stop, depth);
    } else known(tag, 1, 2, end);
  }
}

function checkValue(end: usize, depth: u32): void {
  if (depth > VALUE_DEPTH_MAX) unreachable();
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10 || tag == 58) {
      const length = readLength(end);
      seek(P + length);
    } else if (tag == 24 || tag == 16) readVarint(end);
    else if (tag == 33) readFixed64(end);
    else if (tag == 42) {
      const length = readLength(end);
      const stop = P + length;
      while (P < stop) {
        const inner = readTag(stop);
        if (inner == 10) {
          const size = readLength(stop);
          checkValue(P + size, depth + 1);
        } else known(inner, 1, 1, stop);
      }
    } else if (tag == 50) {
      const length = readLength(end);
      const stop = P + length;
      while (P < stop) {
        const inner = readTag(stop);
        if (inner == 10) {
          const size = readLength(stop);
          checkKeyValue(P + size, depth + 1);
        } else known(inner, 1, 1, stop);
      }
    } else known(tag, 1, 7, end);
  }
}
