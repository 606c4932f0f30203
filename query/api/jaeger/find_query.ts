// What a search may ask for at most, whichever generation of Jaeger's API it came by.

import { RefusalError } from '../../../service/refusal.ts';
import type { Tag } from '../../../storage/clickhouse/tag_condition.ts';
import type { FindQuery } from '../../find.ts';

export const LIMIT_DEFAULT = 100;
/** What Jaeger's UI offers at most; whole traces are read, so more would be gigabytes. */
export const LIMIT_MAX = 1500;
/** A form has a handful; each one is a condition on every span of the window. */
const TAGS_MAX = 32;
/** As long as a stored key may be. */
const TAG_KEY_CHARS_MAX = 1024;
/** Long enough for a URL or a statement; the longest that is stored (64 KiB) fits no URL. */
const TAG_TEXT_CHARS_MAX = 4096;
/** Names of services and operations are cut at 1024 bytes when they are stored. */
const NAME_CHARS_MAX = 1024;

/** A search as a request has it. Times and durations in nanoseconds, both bounds inclusive. */
export interface AskedTraces {
  readonly service: string | undefined;
  readonly operation: string | undefined;
  readonly startUnixNanos: bigint;
  readonly endUnixNanos: bigint;
  readonly durationNanosMin: bigint | undefined;
  readonly durationNanosMax: bigint | undefined;
  readonly tags: readonly Tag[];
  readonly limit: number;
}

/** The newest traces of a tenant that are asked for. */
export function findQueryOf(tenant: string, asked: AskedTraces): FindQuery {
  const { service, operation, durationNanosMin, durationNanosMax } = asked;
  return {
    tenant,
    startUnixNanos: asked.startUnixNanos,
    endUnixNanos: asked.endUnixNanos,
    tags: asked.tags,
    limit: asked.limit,
    order: 'newest',
    ...(service === undefined ? {} : { service }),
    ...(operation === undefined ? {} : { operation }),
    ...(durationNanosMin === undefined ? {} : { durationNanosMin }),
    ...(durationNanosMax === undefined ? {} : { durationNanosMax }),
  };
}

export function refuse(message: string): never {
  throw new RefusalError({ code: 'malformed', message });
}

/** '' is "not given". Throws RefusalError. */
export function checkedName(what: string, text: string): string | undefined {
  if (text.length > NAME_CHARS_MAX) refuse(tooLong(what, NAME_CHARS_MAX, text));
  return text === '' ? undefined : text;
}

/** Of one key the last one counts. Throws RefusalError. */
export function checkedTags(pairs: readonly (readonly [string, string])[]): Tag[] {
  const tags = new Map(pairs);
  if (tags.size > TAGS_MAX) refuse(`at most ${TAGS_MAX} tags may be given, received ${tags.size}`);
  return [...tags].map(([key, value]) => {
    if (key.length > TAG_KEY_CHARS_MAX) refuse(tooLong('key of a tag', TAG_KEY_CHARS_MAX, key));
    if (value.length > TAG_TEXT_CHARS_MAX) {
      refuse(tooLong('value of a tag', TAG_TEXT_CHARS_MAX, value));
    }
    return { key, text: value };
  });
}

function tooLong(what: string, max: number, text: string): string {
  return `'${what}' should have at most ${max} characters, received ${text.length}`;
}

/** A JSON object of strings; `problem` makes the message of what else it is. Throws RefusalError. */
export function stringMapJson(
  text: string,
  problem: (error: string) => string,
): (readonly [string, string])[] {
  const malformed = (error: string): never => refuse(problem(error));
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    malformed('expected an object of strings, received text that is not JSON');
  }
  if (parsed === null) return [];
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    malformed(`json: cannot unmarshal ${goType(parsed)} into Go value of type map[string]string`);
  }
  return Object.entries(parsed as object).map(([key, value]): [string, string] => {
    if (typeof value === 'string') return [key, value];
    return malformed(`json: cannot unmarshal ${goType(value)} into Go value of type string`);
  });
}

/** What Go's decoder calls a JSON value. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
