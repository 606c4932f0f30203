// Resources and scopes: written with the first row of their tenant and day in a block.

import {
  KEY_BYTES_MAX,
  O_RESOURCE_ATTRS,
  O_SCOPE_ATTRS,
  RESOURCE_ATTRIBUTES_MAX,
  SEEN_RESOURCE,
  SEEN_SCOPE,
  SEEN_SLOTS,
  STRING_VALUE_BYTES_MAX,
} from './layout';
import {
  G_RESOURCE_AT,
  G_RESOURCE_ID,
  G_RESOURCE_LENGTH,
  G_RESOURCE_URL_AT,
  G_RESOURCE_URL_LENGTH,
  G_SCOPE_AT,
  G_SCOPE_ID,
  G_SCOPE_LENGTH,
  G_SCOPE_URL_AT,
  G_SCOPE_URL_LENGTH,
} from './index';
import { D_RESOURCE, D_SCOPE, cellCount, intern, pushIndex } from './dictionary';
import { P, cutUtf8, readLength, readTag, seek, skipField } from './reader';
import { T_STRING, keyAt, keyLength, parseKeyValue, putText, valueAt, valueLength, valueType } from './values';
import { entityAttrsEnd, putResource, putScope, putString, rows, setEntityAttrsEnd, take } from './sinks';

const DAY_NANOS: u64 = 86400 * 1000000000;
const NAME_KEY = memory.data<u8>([
  111, 116, 101, 108, 46, 115, 99, 111, 112, 101, 46, 110, 97, 109, 101, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]); // "otel.scope.name"
const VERSION_KEY = memory.data<u8>([
  111, 116, 101, 108, 46, 115, 99, 111, 112, 101, 46, 118, 101, 114, 115, 105, 111, 110, 0, 0, 0, 0, 0, 0,
]); // "otel.scope.version"
/** Room for a number's text. */
const TEXT = memory.data(64);

/** Ids seen under another generation do not count: a new block, tenant or day is a new generation. */
let generation: u32 = 0;
let seenTenant: u32 = 0;
let seenDay: u64 = 0;

export function resetEntities(): void {
  generation++;
  seenTenant = 0xffffffff;
}

/** The row's resource and scope cells; rows come sorted by tenant and time. */
export function emitEntities(group: usize, tenant: u32, start: u64): void {
  const day = start / DAY_NANOS;
  if (tenant != seenTenant || day != seenDay) {
    generation++;
    seenTenant = tenant;
    seenDay = day;
  }
  if (firstSight(SEEN_RESOURCE, load<u64>(group + G_RESOURCE_ID))) emitResource(group);
  else putResource(0, 0, 0, 0);
  if (firstSight(SEEN_SCOPE, load<u64>(group + G_SCOPE_ID))) emitScope(group);
  else putScope(0, 0, 0, 0);
  const row = <usize>rows << 3;
  store<u64>(O_RESOURCE_ATTRS + row, cellCount(D_RESOURCE));
  store<u64>(O_SCOPE_ATTRS + row, cellCount(D_SCOPE));
}

/** Fewer ids than rows fit into a block, so the table is at most half full. */
function firstSight(table: usize, id: u64): bool {
  let slot = <u32>(id >> 40) & (SEEN_SLOTS - 1);
  while (true) {
    const at = table + (<usize>slot << 4);
    if (load<u32>(at + 8) != generation) {
      store<u64>(at, id);
      store<u32>(at + 8, generation);
      return true;
    }
    if (load<u64>(at) == id) return false;
    slot = (slot + 1) & (SEEN_SLOTS - 1);
  }
}

function emitResource(group: usize): void {
  const at = <usize>load<u32>(group + G_RESOURCE_AT);
  const length = load<u32>(group + G_RESOURCE_LENGTH);
  putResource(at, length, load<u32>(group + G_RESOURCE_URL_AT), load<u32>(group + G_RESOURCE_URL_LENGTH));
  take(<usize>length << 1);
  take(load<u32>(group + G_RESOURCE_URL_LENGTH));
  emitAttributes(at, at + length, 10, false);
}

function emitScope(group: usize): void {
  const at = <usize>load<u32>(group + G_SCOPE_AT);
  const length = load<u32>(group + G_SCOPE_LENGTH);
  putScope(at, length, load<u32>(group + G_SCOPE_URL_AT), load<u32>(group + G_SCOPE_URL_LENGTH));
  take(<usize>length << 1);
  take(load<u32>(group + G_SCOPE_URL_LENGTH));
  emitScopeIdentity(at, at + length);
  emitAttributes(at, at + length, 26, true);
}

/** scope.name and scope.version; the last of each counts. */
function emitScopeIdentity(at: usize, end: usize): void {
  let nameAt: usize = 0, versionAt: usize = 0;
  let nameLength: u32 = 0, versionLength: u32 = 0;
  seek(at);
  while (P < end) {
    const tag = readTag(end);
    if (tag == 10) {
      nameLength = readLength(end);
      nameAt = P;
      seek(P + nameLength);
    } else if (tag == 18) {
      versionLength = readLength(end);
      versionAt = P;
      seek(P + versionLength);
    } else skipField(tag, end);
  }
  if (nameLength > 0) putEntry(true, NAME_KEY, 15, nameAt, nameLength);
  if (versionLength > 0) putEntry(true, VERSION_KEY, 18, versionAt, versionLength);
}

function putEntry(ofScope: bool, key: usize, keyBytes: u32, at: usize, length: u32): void {
  const column = ofScope ? D_SCOPE : D_RESOURCE;
  pushIndex(column, intern(column, key, keyBytes));
  const kept = cutUtf8(at, length, STRING_VALUE_BYTES_MAX);
  setEntityAttrsEnd(ofScope, putString(entityAttrsEnd(ofScope), at, kept));
}

/** The attributes (field `tag`) of the message [at, end) that have a text. */
function emitAttributes(at: usize, end: usize, tag: u32, ofScope: bool): void {
  let kept: u32 = 0;
  seek(at);
  while (P < end && kept < RESOURCE_ATTRIBUTES_MAX) {
    const field = readTag(end);
    if (field != tag) {
      skipField(field, end);
      continue;
    }
    const length = readLength(end);
    parseKeyValue(P + length);
    if (keyLength > KEY_BYTES_MAX) continue;
    if (valueType == T_STRING) putEntry(ofScope, keyAt, keyLength, valueAt, valueLength);
    else {
      const text = putText(TEXT, true);
      if (text < 0) continue;
      putEntry(ofScope, keyAt, keyLength, TEXT, text);
    }
    kept++;
  }
}
