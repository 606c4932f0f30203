// Second pass: one span at a time, in sort order, from wire bytes into columns.

import {
  ATTRIBUTES_PER_SPAN_MAX,
  COMPLEX_VALUE_BYTES_MAX,
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
  EVENTS_PER_SPAN_MAX,
  EVENT_BYTES_MAX,
  KEY_BYTES_MAX,
  LINKS_PER_SPAN_MAX,
  LINK_KV,
  NAME_BYTES_MAX,
  O_ATTR_B,
  O_ATTR_D,
  O_ATTR_I,
  O_ATTR_S,
  O_ATTR_X,
  O_EVENT_KV,
  SERVICE_NAME_BYTES_MAX,
  STRING_VALUE_BYTES_MAX,
  TENANTS,
  TENANT_STRIDE,
  V_EVENT_KV,
} from './layout';
import {
  D_ATTR_B,
  D_ATTR_D,
  D_ATTR_I,
  D_ATTR_S,
  D_ATTR_X,
  D_NAME,
  D_SERVICE,
  D_TENANT,
  cellCount,
  intern,
  pushIndex,
} from './dictionary';
import {
  G_RESOURCE_ID,
  G_SCOPE_ID,
  G_SERVICE_AT,
  G_SERVICE_LENGTH,
  G_TENANT,
  S_AT,
  S_GROUP,
  S_HI,
  S_ID,
  S_LENGTH,
  S_LO,
  S_START,
  groupEntry,
} from './index';
import {
  P,
  copy,
  cutUtf8,
  putVarint,
  readFixed32,
  readFixed64,
  readLength,
  readTag,
  readVarint,
  seek,
  skipField,
} from './reader';
import {
  T_BOOL,
  T_DOUBLE,
  T_INT,
  T_STRING,
  keyAt,
  keyLength,
  messageAt,
  messageLength,
  parseKeyValue,
  valueAt,
  valueBits,
  valueLength,
  valueType,
} from './values';
import {
  LENGTH_ROOM,
  closeEvents,
  closeLinks,
  closeRest,
  eventKv,
  events,
  links,
  nextRow,
  putAttrB,
  putAttrD,
  putAttrI,
  putAttrS,
  putAttrX,
  putEventKv,
  putStatusMessage,
  rest,
  rows,
  take,
} from './sinks';
import { emitEntities } from './entities';
import { hashEvent, hashLink, linkHashesEnd, resetLinkHashes } from './event_kv';
import { xxh64 } from './hash';

/** Counters of what the limits took, over a group. */
export let droppedAttributes: u32 = 0;
export let droppedEvents: u32 = 0;
export let droppedLinks: u32 = 0;
export let cutValues: u32 = 0;

/** "unknown_service" in memory, for resources without a usable service.name. */
const UNKNOWN = memory.data<u8>([
  117, 110, 107, 110, 111, 119, 110, 95, 115, 101, 114, 118, 105, 99, 101, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);
const UNKNOWN_LENGTH: u32 = 15;

export function resetDrops(): void {
  droppedAttributes = 0;
  droppedEvents = 0;
  droppedLinks = 0;
  cutValues = 0;
}

// State of the row in hand.
let keptAttributes: u32 = 0;
let goneAttributes: u32 = 0;
let keptEvents: u32 = 0;
let goneEvents: u32 = 0;
let keptLinks: u32 = 0;
let goneLinks: u32 = 0;
let sentDroppedAttributes: u64 = 0;
let sentDroppedEvents: u64 = 0;
let sentDroppedLinks: u64 = 0;
let statusAt: usize = 0;
let statusLength: u32 = 0;
let statusCode: u64 = 0;
let eventsTo: usize = 0;
let linksTo: usize = 0;
let restTo: usize = 0;

/** Appends the span of `entry` (index.ts) as one row. */
export function emitSpan(entry: usize): void {
  const at = <usize>load<u32>(entry + S_AT);
  const length = load<u32>(entry + S_LENGTH);
  const group = groupEntry(load<u32>(entry + S_GROUP));
  const row = <usize>rows;
  const start = load<u64>(entry + S_START);
  const resourceId = load<u64>(group + G_RESOURCE_ID);
  const scopeId = load<u64>(group + G_SCOPE_ID);
  store<u64>(C_TRACE_LO + (row << 3), load<u64>(entry + S_LO));
  store<u64>(C_TRACE_HI + (row << 3), load<u64>(entry + S_HI));
  store<u64>(C_SPAN_ID + (row << 3), load<u64>(entry + S_ID));
  store<u64>(C_TS + (row << 3), start);
  store<u64>(C_RESOURCE_ID + (row << 3), resourceId);
  store<u64>(C_SCOPE_ID + (row << 3), scopeId);
  store<u32>(C_H + (row << 2), <u32>xxh64(at, length, resourceId ^ rotl(scopeId, 32)));
  emitTenant(load<u32>(group + G_TENANT));
  emitService(load<u32>(group + G_SERVICE_AT), load<u32>(group + G_SERVICE_LENGTH));
  emitEntities(group, load<u32>(group + G_TENANT), start);
  startRow();
  emitFields(at, at + length, row, start);
  finishRow(row);
  take(length);
  nextRow();
}

function emitTenant(tenant: u32): void {
  const at = TENANTS + <usize>tenant * TENANT_STRIDE;
  pushIndex(D_TENANT, intern(D_TENANT, at + 4, load<u32>(at)));
}

function emitService(at: usize, length: u32): void {
  if (length == 0) pushIndex(D_SERVICE, intern(D_SERVICE, UNKNOWN, UNKNOWN_LENGTH));
  else pushIndex(D_SERVICE, intern(D_SERVICE, at, cutUtf8(at, length, SERVICE_NAME_BYTES_MAX)));
}

function startRow(): void {
  keptAttributes = 0;
  goneAttributes = 0;
  keptEvents = 0;
  goneEvents = 0;
  keptLinks = 0;
  goneLinks = 0;
  sentDroppedAttributes = 0;
  sentDroppedEvents = 0;
  sentDroppedLinks = 0;
  statusAt = 0;
  statusLength = 0;
  statusCode = 0;
  eventsTo = events + LENGTH_ROOM;
  linksTo = links + LENGTH_ROOM;
  restTo = rest + LENGTH_ROOM;
  resetLinkHashes();
}

function emitFields(at: usize, end: usize, row: usize, start: u64): void {
  let parent: u64 = 0;
  let stop: u64 = 0;
  let kind: u64 = 0;
  let flags: u32 = 0;
  let nameAt: usize = 0;
  let nameLength: u32 = 0;
  seek(at);
  while (P < end) {
    const fieldAt = P;
    const tag = readTag(end);
    switch (tag) {
      case 74: {
        const length = readLength(end);
        emitAttribute(P + length);
        break;
      }
      case 10:
      case 18: {
        const length = readLength(end);
        seek(P + length);
        break;
      }
      case 34: {
        const length = readLength(end);
        parent = length == 8 ? bswap(load<u64>(P)) : 0;
        seek(P + length);
        break;
      }
      case 42: {
        nameLength = readLength(end);
        nameAt = P;
        seek(P + nameLength);
        break;
      }
      case 48: {
        kind = readVarint(end);
        break;
      }
      case 57: {
        readFixed64(end);
        break;
      }
      case 65: {
        stop = readFixed64(end);
        break;
      }
      case 90: {
        emitEvent(end);
        break;
      }
      case 106: {
        emitLink(end);
        break;
      }
      case 122: {
        const length = readLength(end);
        parseStatus(P + length);
        break;
      }
      case 133: {
        flags = readFixed32(end);
        break;
      }
      default:
        emitRest(tag, fieldAt, end);
    }
  }
  store<u64>(C_PARENT_ID + (row << 3), parent);
  store<u64>(C_DURATION + (row << 3), stop - start);
  store<u8>(C_KIND + row, kind <= 5 ? <u8>kind : 0);
  store<u32>(C_FLAGS + (row << 2), flags);
  const kept = cutUtf8(nameAt, nameLength, NAME_BYTES_MAX);
  if (kept != nameLength) cutValues++;
  pushIndex(D_NAME, intern(D_NAME, nameAt, kept));
}

/** The KeyValue [P, end). */
// @ts-ignore: decorator
@inline
function emitAttribute(end: usize): void {
  parseKeyValue(end);
  if (keyLength > KEY_BYTES_MAX || keptAttributes == ATTRIBUTES_PER_SPAN_MAX) {
    goneAttributes++;
    return;
  }
  if (valueType == T_STRING) {
    const length = cutUtf8(valueAt, valueLength, STRING_VALUE_BYTES_MAX);
    if (length != valueLength) cutValues++;
    pushIndex(D_ATTR_S, intern(D_ATTR_S, keyAt, keyLength));
    putAttrS(valueAt, length);
  } else if (valueType == T_INT) {
    pushIndex(D_ATTR_I, intern(D_ATTR_I, keyAt, keyLength));
    putAttrI(valueBits);
  } else if (valueType == T_BOOL) {
    pushIndex(D_ATTR_B, intern(D_ATTR_B, keyAt, keyLength));
    putAttrB(<u8>valueBits);
  } else if (valueType == T_DOUBLE) {
    pushIndex(D_ATTR_D, intern(D_ATTR_D, keyAt, keyLength));
    putAttrD(valueBits);
  } else {
    if (messageLength > COMPLEX_VALUE_BYTES_MAX) {
      goneAttributes++;
      return;
    }
    pushIndex(D_ATTR_X, intern(D_ATTR_X, keyAt, keyLength));
    putAttrX(messageAt, messageLength);
  }
  keptAttributes++;
}

/** Copies a message as it came behind its length as a minimal varint; returns the new end. */
function putMessage(to: usize, at: usize, length: u32): usize {
  to = putVarint(to, length);
  if (length > 0) copy(to, at, length);
  return to + length;
}

function emitEvent(end: usize): void {
  const length = readLength(end);
  const at = P;
  if (length > EVENT_BYTES_MAX || keptEvents == EVENTS_PER_SPAN_MAX) goneEvents++;
  else {
    keptEvents++;
    eventsTo = putMessage(eventsTo, at, length);
    hashEvent(at + length);
  }
  seek(at + length);
}

function emitLink(end: usize): void {
  const length = readLength(end);
  const at = P;
  if (length > EVENT_BYTES_MAX || keptLinks == LINKS_PER_SPAN_MAX) goneLinks++;
  else {
    keptLinks++;
    linksTo = putMessage(linksTo, at, length);
    hashLink(at + length);
  }
  seek(at + length);
}

function parseStatus(end: usize): void {
  statusLength = 0;
  statusCode = 0;
  while (P < end) {
    const tag = readTag(end);
    if (tag == 18) {
      statusLength = readLength(end);
      statusAt = P;
      seek(P + statusLength);
    } else if (tag == 24) statusCode = readVarint(end);
    else skipField(tag, end);
  }
}

/** A field without a column: kept as it came; the counts of it that we may have to raise are noted. */
function emitRest(tag: u32, fieldAt: usize, end: usize): void {
  if (tag == 80) sentDroppedAttributes = readVarint(end);
  else if (tag == 96) sentDroppedEvents = readVarint(end);
  else if (tag == 112) sentDroppedLinks = readVarint(end);
  else skipField(tag, end);
  const length = P - fieldAt;
  copy(restTo, fieldAt, length);
  restTo += length;
}

function raiseCount(tag: u8, sent: u64, gone: u32): void {
  if (gone == 0) return;
  store<u8>(restTo++, tag);
  restTo = putVarint(restTo, <u32>sent + gone);
}

function finishRow(row: usize): void {
  store<u8>(C_STATUS + row, statusCode <= 2 ? <u8>statusCode : 0);
  const kept = cutUtf8(statusAt, statusLength, STRING_VALUE_BYTES_MAX);
  if (kept != statusLength) cutValues++;
  putStatusMessage(statusAt, kept);
  raiseCount(80, sentDroppedAttributes, goneAttributes);
  raiseCount(96, sentDroppedEvents, goneEvents);
  raiseCount(112, sentDroppedLinks, goneLinks);
  closeEvents(eventsTo);
  closeLinks(linksTo);
  closeRest(restTo);
  for (let at = LINK_KV; at < linkHashesEnd; at += 8) putEventKv(load<u64>(at));
  store<u64>(O_ATTR_S + (row << 3), cellCount(D_ATTR_S));
  store<u64>(O_ATTR_I + (row << 3), cellCount(D_ATTR_I));
  store<u64>(O_ATTR_D + (row << 3), cellCount(D_ATTR_D));
  store<u64>(O_ATTR_B + (row << 3), cellCount(D_ATTR_B));
  store<u64>(O_ATTR_X + (row << 3), cellCount(D_ATTR_X));
  store<u64>(O_EVENT_KV + (row << 3), <u64>((eventKv - V_EVENT_KV) >> 3));
  droppedAttributes += goneAttributes;
  droppedEvents += goneEvents;
  droppedLinks += goneLinks;
}
