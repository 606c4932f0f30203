// Which tags say more than their text. Nearly none do: the first byte of the key settles that.

import { ERROR, OUR_NAMES, PEER_NAMES, STATUS_CODE, TAG_PREFIX } from './attribute_names.ts';
import type { SpanDraft } from './span_draft.ts';

export const TAG = {
  plain: 0,
  /** Becomes the status. */
  error: 1,
  /** `otel.status_code`: becomes the status, and stays a tag. */
  statusOk: 2,
  statusError: 3,
  statusUnset: 4,
  /** Has the name that remoteEndpoint would be written to. */
  peer: 5,
  /** Has a name that is ours. */
  ours: 6,
} as const;

export type TagClass = (typeof TAG)[keyof typeof TAG];

/** The longest name of interest; a longer key is plain unless it has the prefix. */
const NAME_CHARS_MAX = 64;

export function classifyTag(draft: SpanDraft, key: number, value: number): TagClass {
  const bytes = draft.textOf[key] as Uint8Array;
  const from = draft.textFrom[key] as number;
  const length = (draft.textTo[key] as number) - from;
  switch (bytes[from]) {
    case 0x65: // e
      return length === ERROR.length && startsWith(bytes, from, ERROR) ? TAG.error : TAG.plain;
    case 0x6e: // n
    case 0x6f: // o
    case 0x70: // p
    case 0x7a: // z
      return length === 0 ? TAG.plain : classify(draft, bytes, from, length, value);
    default:
      return TAG.plain;
  }
}

function classify(
  draft: SpanDraft,
  bytes: Uint8Array,
  from: number,
  length: number,
  value: number,
): TagClass {
  if (length >= TAG_PREFIX.length && startsWith(bytes, from, TAG_PREFIX)) return TAG.ours;
  if (length === STATUS_CODE.length && startsWith(bytes, from, STATUS_CODE)) {
    return statusOf(draft, value);
  }
  if (length > NAME_CHARS_MAX) return TAG.plain;
  // network. or peer. or zipkin. or otel.z: a string is made of few tags only.
  if (bytes[from] === 0x6f && bytes[from + 5] !== 0x7a) return TAG.plain;
  const name = asciiText(bytes, from, length);
  if (PEER_NAMES.has(name)) return TAG.peer;
  return OUR_NAMES.has(name) ? TAG.ours : TAG.plain;
}

function statusOf(draft: SpanDraft, value: number): TagClass {
  const bytes = draft.textOf[value] as Uint8Array;
  const from = draft.textFrom[value] as number;
  const length = (draft.textTo[value] as number) - from;
  if (length === 2 && startsWith(bytes, from, 'OK')) return TAG.statusOk;
  return length === 5 && startsWith(bytes, from, 'ERROR') ? TAG.statusError : TAG.statusUnset;
}

function startsWith(bytes: Uint8Array, from: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[from + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

function asciiText(bytes: Uint8Array, from: number, length: number): string {
  let text = '';
  for (let i = from; i < from + length; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}
