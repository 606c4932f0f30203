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
