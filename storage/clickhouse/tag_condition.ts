// One tag `key=text` as a condition on a row of `spans`: it holds when the span has it as an
// attribute of any type, on an event or link, on its resource or on its scope (jaeger.md §2.7).

import { keyValueHash } from '../../model/hash.ts';
import { REMOTE_SERVICE, REMOTE_SERVICE_KEYS } from './remote_service.ts';
import type { Param } from './statement.ts';

export interface Tag {
  readonly key: string;
  readonly text: string;
  /**
   * What Zipkin asks beside a pair. `word`: the key is that of an attribute, whatever its value, or
   * the name of an event. `key`: the first half of that. `tag`: a pair, but `error` has a text.
   * `remote`: the text is the name of the service that the span spoke to.
   */
  readonly match?: 'word' | 'key' | 'tag' | 'remote';
}

/** Where a tag can stand beside the span itself; false where a look has shown that it cannot. */
export interface TagPlaces {
  readonly resource: boolean;
  readonly scope: boolean;
}

/**
 * Word for word the expression of index `kv` in schema/0001_spans.sql, or the index is not used.
 * It stands in indexHint: hashing every pair of a row again costs a quarter of the search (243 ms
 * against 193 for 300,000 rows), and the exact check is needed anyway.
 */
const KV_INDEX = `arrayConcat(
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_s), mapValues(attr_s)),
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_i), mapValues(attr_i)),
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_d), mapValues(attr_d)),
    arrayMap((k, v) -> cityHash64(k, v), mapKeys(attr_b), mapValues(attr_b)),
    event_kv)`;

/**
 * Word for word index `op_kv`: what is common elsewhere but rare in the operation asked for, `kv`
 * cannot tell (527 ms of CPU against 50: docs/adr/0005).
 */
const OP_KV_INDEX = `arrayConcat(
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_s), mapValues(attr_s)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_i), mapValues(attr_i)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_d), mapValues(attr_d)),
    arrayMap((k, v) -> cityHash64(service, name, k, v), mapKeys(attr_b), mapValues(attr_b)),
    arrayMap(kv -> cityHash64(service, name, kv), event_kv))`;
const OPERATION = '{service:String}, {operation:String}';

/**
 * The condition, and its parameters; `n` tells the parameters of several tags apart.
 * `isInOperation`: the statement has parameters `service` and `operation`, and asks for both.
 */
export function tagCondition(
  tag: Tag,
  places: TagPlaces,
  n: number,
  isInOperation = false,
): { sql: string; params: Record<string, Param> } {
  if (tag.match === 'key') return keyCondition(tag, n);
  if (tag.match === 'remote') return remoteCondition(tag, n);
  const params: Record<string, Param> = {
    [`key${n}`]: tag.key,
    [`text${n}`]: tag.text,
    [`event${n}`]: keyValueHash(tag.key, tag.text),
  };
  const key = `{key${n}:String}`;
  const within = isInOperation ? `${OPERATION}, ` : '';
  const event = `{event${n}:UInt64}`;
  const hashes = [isInOperation ? `cityHash64(${OPERATION}, ${event})` : event];
  const exact = [`has(event_kv, {event${n}:UInt64})`];
  for (const typed of typedTexts(tag.text, n)) {
    params[typed.name] = typed.param;
    hashes.push(`cityHash64(${within}${key}, ${typed.sql})`);
    // Not map[key] = value: of a key that was sent twice that sees the first one only, and it
    // takes a missing key for an empty value.
    exact.push(
      `arrayExists((k, v) -> k = ${key} AND v = ${typed.sql}, ` +
        `mapKeys(${typed.column}), mapValues(${typed.column}))`,
    );
  }
  const index = isInOperation ? OP_KV_INDEX : KV_INDEX;
  const levels = [
    `(indexHint(hasAny(${index}, [${hashes.join(', ')}]))\n  AND (${exact.join('\n    OR ')}))`,
  ];
  if (places.resource) levels.push(`resource_id IN (${contentIds('resources', n)})`);
  if (places.scope) levels.push(`scope_id IN (${contentIds('scopes', n)})`);
  return { sql: `(${levels.join('\n  OR ')})`, params };
}

const ATTRIBUTE_MAPS = ['attr_s', 'attr_i', 'attr_d', 'attr_b', 'attr_x'];

/** No index knows keys alone; of the maps only these are read. */
function keyCondition(tag: Tag, n: number): { sql: string; params: Record<string, Param> } {
  const has = ATTRIBUTE_MAPS.map((map) => `has(mapKeys(${map}), {key${n}:String})`);
  return { sql: `(${has.join('\n    OR ')})`, params: { [`key${n}`]: tag.key } };
}

function remoteCondition(tag: Tag, n: number): { sql: string; params: Record<string, Param> } {
  const text = `{text${n}:String}`;
  const hashes = REMOTE_SERVICE_KEYS.map((key) => `cityHash64('${key}', ${text})`);
  return {
    sql: `(indexHint(hasAny(${KV_INDEX}, [${hashes.join(', ')}]))\n  AND ${REMOTE_SERVICE} = ${text})`,
    params: { [`text${n}`]: tag.text },
  };
}

/** Holds for the rows of `resources` and `scopes` that have the tag. */
export function contentHasTag(n: number): string {
  return (
    `arrayExists((k, v) -> k = {key${n}:String} AND v = {text${n}:String}, ` +
    `mapKeys(attrs), mapValues(attrs))`
  );
}

function contentIds(table: 'resources' | 'scopes', n: number): string {
  return `SELECT id FROM {db:Identifier}.${table} WHERE tenant = {tenant:String}
    AND day >= toDate({firstDay:UInt16}) AND day <= toDate({lastDay:UInt16}) AND ${contentHasTag(n)}`;
}

interface TypedText {
  readonly column: string;
  readonly name: string;
  readonly sql: string;
  readonly param: Param;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** The typed values whose text form is `text`. */
function typedTexts(text: string, n: number): TypedText[] {
  const found: TypedText[] = [
    { column: 'attr_s', name: `text${n}`, sql: `{text${n}:String}`, param: text },
  ];
  const int = integerOf(text);
  if (int !== undefined) {
    found.push({ column: 'attr_i', name: `int${n}`, sql: `{int${n}:Int64}`, param: int });
  }
  const double = doubleOf(text);
  if (double !== undefined) {
    found.push({
      column: 'attr_d',
      name: `dbl${n}`,
      sql: `{dbl${n}:Float64}`,
      param: String(double),
    });
    if (double === 0) {
      // 0 and -0 are equal, but their hashes are not.
      found.push({ column: 'attr_d', name: `neg${n}`, sql: `{neg${n}:Float64}`, param: '-0' });
    }
  }
  if (text === 'true' || text === 'false') {
    const bit = text === 'true' ? 1 : 0;
    found.push({ column: 'attr_b', name: `bit${n}`, sql: `{bit${n}:UInt8}`, param: bit });
  }
  return found;
}

/** `007` and `+7` are not the text of an integer, so they match none. */
function integerOf(text: string): bigint | undefined {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined;
}

/** Doubles have many texts (0.5, .5, 5e-1), so they are compared by value. */
function doubleOf(text: string): number | undefined {
  if (!/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? (value === 0 ? 0 : value) : undefined;
}
