// Tags that have a place of their own in OTLP (jaeger.md §1.7). One that is recognised is held back
// until its span ends and then becomes the field; a second one of the same key cannot, so both are
// kept as attributes then: nothing that was sent gets lost.

/** Index of a place; NONE is an ordinary tag. */
export const NONE = -1;
export const KIND = 0;
export const ERROR = 1;
export const STATUS_CODE = 2;
export const STATUS_MESSAGE = 3;
export const TRACE_STATE = 4;
export const SCOPE_NAME = 5;
export const SCOPE_VERSION = 6;
export const PLACES = 7;
/** These stay attributes, but say something when there is no better. */
export const HTTP_STATUS_CODE = 7;
export const HTTP_STATUS_MESSAGE = 8;
export const LIBRARY_NAME = 9;
export const LIBRARY_VERSION = 10;

const KEYS: readonly (readonly [string, number])[] = [
  ['span.kind', KIND],
  ['error', ERROR],
  ['otel.status_code', STATUS_CODE],
  ['otel.status_description', STATUS_MESSAGE],
  ['w3c.tracestate', TRACE_STATE],
  ['otel.scope.name', SCOPE_NAME],
  ['otel.library.name', LIBRARY_NAME],
  ['otel.scope.version', SCOPE_VERSION],
  ['otel.library.version', LIBRARY_VERSION],
  ['http.status_code', HTTP_STATUS_CODE],
  ['http.status_message', HTTP_STATUS_MESSAGE],
];

interface Key {
  readonly bytes: Uint8Array;
  readonly place: number;
}

/** By length: most tags are told from all of these by it, or by their first byte. */
const BY_LENGTH: readonly (readonly Key[])[] = Array.from({ length: 24 }, (_, length) =>
  KEYS.filter(([key]) => key.length === length).map(([key, place]) => ({
    bytes: new TextEncoder().encode(key),
    place,
  })),
);

export function placeOf(source: Uint8Array, start: number, end: number): number {
  const keys = BY_LENGTH[end - start];
  if (keys === undefined) return NONE;
  for (const key of keys) if (isAt(key.bytes, source, start)) return key.place;
  return NONE;
}

/** Whether `source[start, end)` is `word`. */
export function equals(word: Uint8Array, source: Uint8Array, start: number, end: number): boolean {
  return end - start === word.length && isAt(word, source, start);
}

function isAt(word: Uint8Array, source: Uint8Array, start: number): boolean {
  for (let i = 0; i < word.length; i++) if (word[i] !== source[start + i]) return false;
  return true;
}

/** OTLP SpanKind by the value of `span.kind`. */
const KINDS: readonly (readonly [Uint8Array, number])[] = ['internal', 'server', 'client']
  .concat(['producer', 'consumer'])
  .map((name, index) => [new TextEncoder().encode(name), index + 1] as const);

/** 0 for what is no kind. */
export function kindOf(source: Uint8Array, start: number, end: number): number {
  for (const [name, kind] of KINDS) if (equals(name, source, start, end)) return kind;
  return 0;
}

const OK = new TextEncoder().encode('OK');
const FAILED = new TextEncoder().encode('ERROR');

/** OTLP StatusCode by the value of `otel.status_code`; 0 for what is neither OK nor ERROR. */
export function statusOf(source: Uint8Array, start: number, end: number): 0 | 1 | 2 {
  if (equals(OK, source, start, end)) return 1;
  return equals(FAILED, source, start, end) ? 2 : 0;
}
