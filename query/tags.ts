// What a tag of a search means: most stand for an attribute at any level of the span, some for a
// property that Jaeger shows as a tag (jaeger.md §2.2, §2.7).

import type { Condition } from '../storage/clickhouse/find_statements.ts';
import type { Tag, TagPlaces } from '../storage/clickhouse/tag_condition.ts';

/** OTLP SpanKind by its name as a tag; Jaeger shows none for `unspecified`. */
export const KIND_NAMES = ['', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/** OTLP StatusCode by its name as a tag. */
const STATUS_NAMES = ['UNSET', 'OK', 'ERROR'];
const STATUS_ERROR = 2;

/** The condition that a tag stands for; `placesOf` tells where it can stand at all. */
export function conditionOf(tag: Tag, placesOf: (tag: Tag) => TagPlaces): Condition {
  if (tag.match !== undefined) return zipkinCondition(tag, placesOf);
  const attribute: Condition = { type: 'tag', tag, places: placesOf(tag) };
  switch (tag.key) {
    case 'error':
      return errorCondition(tag.text, placesOf) ?? attribute;
    case 'span.kind':
      return kindCondition(tag.text) ?? attribute;
    case 'otel.status_code':
      return statusCondition(tag.text) ?? attribute;
    case 'otel.status_description':
      return { type: 'any', conditions: [{ type: 'status_message', text: tag.text }, attribute] };
    default:
      return attribute;
  }
}

const ON_SPAN: TagPlaces = { resource: false, scope: false };

/** Zipkin's words and pairs (zipkin.md §2): an error is a tag `error`, its text the message. */
function zipkinCondition(tag: Tag, placesOf: (tag: Tag) => TagPlaces): Condition {
  const { key, text, match } = tag;
  if (match === 'remote' || match === 'key') return { type: 'tag', tag, places: ON_SPAN };
  if (match === 'word') {
    const named: Condition = { type: 'tag', tag: { key: 'event', text: key }, places: ON_SPAN };
    const there: Condition = { type: 'tag', tag: { ...tag, match: 'key' }, places: ON_SPAN };
    const failed: Condition = { type: 'status', status: STATUS_ERROR };
    return { type: 'any', conditions: key === 'error' ? [failed, there, named] : [there, named] };
  }
  const pair = conditionOf({ key, text }, placesOf);
  if (key !== 'error' || text === 'false') return pair;
  return { type: 'any', conditions: [{ type: 'status_message', text }, pair] };
}

/** `error=false` is every span that is not in error: Jaeger counts an unset status among them. */
function errorCondition(text: string, placesOf: (tag: Tag) => TagPlaces): Condition | undefined {
  if (text !== 'true' && text !== 'false') return undefined;
  const tag: Tag = { key: 'error', text: 'true' };
  const error: Condition = {
    type: 'any',
    conditions: [
      { type: 'status', status: STATUS_ERROR },
      { type: 'tag', tag, places: placesOf(tag) },
    ],
  };
  return text === 'true' ? error : { type: 'not', condition: error };
}

function kindCondition(text: string): Condition | undefined {
  const kind = (KIND_NAMES as readonly string[]).indexOf(text);
  return kind > 0 ? { type: 'kind', kind } : undefined;
}

function statusCondition(text: string): Condition | undefined {
  const status = STATUS_NAMES.indexOf(text.toUpperCase());
  return status === -1 ? undefined : { type: 'status', status };
}
