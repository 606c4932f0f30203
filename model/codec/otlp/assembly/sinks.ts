// The growing columns of the block that is being built: cursors into the regions of layout.ts.

import {
  ROW_WORD_BYTES,
  VAR_BYTES,
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
import { copy, putVarint } from './reader';

export let rows: u32 = 0;
/** Bytes taken from the wire so far, resources and scopes included. */
export let taken: usize = 0;

export let statusMessage: usize = 0;
export let attrS: usize = 0;
export let attrI: usize = 0;
export let attrD: usize = 0;
export let attrB: usize = 0;
export let attrX: usize = 0;
export let events: usize = 0;
export let links: usize = 0;
export let rest: usize = 0;
export let eventKv: usize = 0;
export let resource: usize = 0;
export let resourceUrl: usize = 0;
export let resourceAttrs: usize = 0;
export let scope: usize = 0;
export let scopeUrl: usize = 0;
export let scopeAttrs: usize = 0;

export function resetSinks(): void {
  rows = 0;
  taken = 0;
  statusMessage = V_STATUS_MESSAGE;
  attrS = V_ATTR_S;
  attrI = V_ATTR_I;
  attrD = V_ATTR_D;
  attrB = V_ATTR_B;
  attrX = V_ATTR_X;
  events = V_EVENTS;
  links = V_LINKS;
  rest = V_REST;
  eventKv = V_EVENT_KV;
  resource = V_RESOURCE;
  resourceUrl = V_RESOURCE_URL;
  resourceAttrs = V_RESOURCE_ATTRS;
  scope = V_SCOPE;
  scopeUrl = V_SCOPE_URL;
  scopeAttrs = V_SCOPE_ATTRS;
}

/**
 * True while one more span fits. Columns of 64-bit words may outgrow their wire bytes (8 for 6 at
 * the least); all others take at most what BLOCK_BYTES counts.
 */
export function sinksHaveRoom(): bool {
  return (
    eventKv < V_EVENT_KV + VAR_BYTES - ROW_WORD_BYTES && attrI < V_ATTR_I + VAR_BYTES - ROW_WORD_BYTES
  );
}

export function nextRow(): void {
  rows++;
}

export function take(bytes: usize): void {
  taken += bytes;
}

// @ts-ignore: decorator
@inline
export function putString(at: usize, from: usize, length: u32): usize {
  at = putVarint(at, length);
  if (length > 0) copy(at, from, length);
  return at + length;
}

export function putStatusMessage(from: usize, length: u32): void {
  statusMessage = putString(statusMessage, from, length);
}

// @ts-ignore: decorator
@inline
export function putAttrS(from: usize, length: u32): void {
  attrS = putString(attrS, from, length);
}

// @ts-ignore: decorator
@inline
export function putAttrI(value: u64): void {
  store<u64>(attrI, value);
  attrI += 8;
}

export function putAttrD(bits: u64): void {
  store<u64>(attrD, bits);
  attrD += 8;
}

export function putAttrB(value: u8): void {
  store<u8>(attrB++, value);
}

export function putAttrX(from: usize, length: u32): void {
  attrX = putString(attrX, from, length);
}

export function putEventKv(hash: u64): void {
  store<u64>(eventKv, hash);
  eventKv += 8;
}

export function putResource(at: usize, length: u32, urlAt: usize, urlLength: u32): void {
  resource = putString(resource, at, length);
  resourceUrl = putString(resourceUrl, urlAt, urlLength);
}

export function putScope(at: usize, length: u32, urlAt: usize, urlLength: u32): void {
  scope = putString(scope, at, length);
  scopeUrl = putString(scopeUrl, urlAt, urlLength);
}

/** The text cursor of resource_attrs or scope_attrs. */
export function entityAttrsEnd(ofScope: bool): usize {
  return ofScope ? scopeAttrs : resourceAttrs;
}

export function setEntityAttrsEnd(ofScope: bool, at: usize): void {
  if (ofScope) scopeAttrs = at;
  else resourceAttrs = at;
}

// events, links and rest are strings whose length is known only at the end of the row: their bytes
// are written LENGTH_ROOM further on and moved back over the room that the varint did not need.
export const LENGTH_ROOM: usize = 5;

function close(start: usize, end: usize): usize {
  const length = <u32>(end - start - LENGTH_ROOM);
  const at = putVarint(start, length);
  if (length > 0) memory.copy(at, start + LENGTH_ROOM, length);
  return at + length;
}

export function closeEvents(end: usize): void {
  events = close(events, end);
}

export function closeLinks(end: usize): void {
  links = close(links, end);
}

export function closeRest(end: usize): void {
  rest = close(rest, end);
}
