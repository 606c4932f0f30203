// What the host calls. Order: seedDictionaries once; then either checkInput, or
// reset, tenant…, index…, sort, (build, segments…)*.

import {
  BLOCK_BYTES,
  BLOCK_ROWS_MAX,
  INPUT,
  INPUT_BYTES,
  ORDER,
  SEGMENTS,
  TENANTS,
  TENANTS_MAX,
  TENANT_STRIDE,
} from './layout';
import { checkRequest, outcomeCount, resetOutcomes, setWindow } from './check';
import { dictionariesHaveRoom, resetDictionaries } from './dictionary';
import { cutValues, droppedAttributes, droppedEvents, droppedLinks, emitSpan, resetDrops } from './emit';
import { indexRequest, resetIndex, sortSpans, spanCount, spanEntry } from './index';
import { closeBlock, segmentCount } from './native';
import { P } from './reader';
import { resetEntities } from './entities';
import { resetSinks, rows, sinksHaveRoom, taken } from './sinks';

export { seedDictionaries } from './hash';

export function inputAt(): usize {
  return INPUT;
}

export function inputBytes(): usize {
  return INPUT_BYTES;
}

/** Where a tenant's {u32 length, bytes} goes; tenants are numbered in the order of their bytes. */
export function tenantAt(number: u32): usize {
  if (number >= TENANTS_MAX) unreachable();
  return TENANTS + <usize>number * TENANT_STRIDE;
}

/** Offset into the input at which the last walk stood, for messages. */
export function position(): usize {
  return P - INPUT;
}

/** Checks the first `length` bytes of the input. Traps where they are malformed. */
export function checkInput(length: usize, recordUnixNanos: u64, maxAgeSeconds: u64): void {
  setWindow(recordUnixNanos, maxAgeSeconds);
  checkRequest(INPUT, length);
}

/** Spans by outcome of the last check, or of all requests indexed since reset: see check.ts. */
export function outcome(reason: u32): u32 {
  return outcomeCount(reason);
}

export function reset(): void {
  resetIndex();
  resetOutcomes();
  resetDrops();
}

/** Adds the checked request at `offset` of the input. */
export function index(
  offset: usize,
  length: usize,
  tenant: u32,
  recordUnixNanos: u64,
  maxAgeSeconds: u64,
): void {
  setWindow(recordUnixNanos, maxAgeSeconds);
  indexRequest(INPUT + offset, length, tenant);
}

/** Puts the spans into table order; answers how many there are. */
export function sort(): u32 {
  sortSpans();
  return spanCount;
}

/** Builds one block from the sorted spans [from, …); answers where the next block begins. */
export function build(from: u32, rowsMax: u32): u32 {
  resetDictionaries();
  resetEntities();
  resetSinks();
  const limit = min(rowsMax, BLOCK_ROWS_MAX);
  let i = from;
  while (i < spanCount && rows < limit && taken < BLOCK_BYTES) {
    if (!dictionariesHaveRoom() || !sinksHaveRoom()) break;
    emitSpan(spanEntry(load<u32>(ORDER + (<usize>i << 2))));
    i++;
  }
  closeBlock();
  return i;
}

export function blockRows(): u32 {
  return rows;
}

export function segments(): u32 {
  return segmentCount;
}

export function segmentsAt(): usize {
  return SEGMENTS;
}

/** What the limits took since reset: 0 attributes, 1 events, 2 links, 3 cut values. */
export function dropped(what: u32): u32 {
  return what == 0 ? droppedAttributes : what == 1 ? droppedEvents : what == 2 ? droppedLinks : cutValues;
}
