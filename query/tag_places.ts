// The tags of a search as conditions, told where in the window they can stand at all.

import { type Condition, placesStatement } from '../storage/clickhouse/find_statements.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import type { Tag, TagPlaces } from '../storage/clickhouse/tag_condition.ts';
import type { FindQuery } from './find.ts';
import { conditionOf } from './tags.ts';

/**
 * A condition on the resource cannot use the index of `spans`, so it is asked only of tags that
 * some resource (scope) of the window has at all: a look into two small tables.
 */
export async function conditionsOf(
  select: Select,
  query: FindQuery,
  signal: AbortSignal | undefined,
): Promise<Condition[]> {
  const asked: Tag[] = [];
  for (const tag of query.tags) conditionOf(tag, (one) => places(asked, one));
  if (asked.length === 0) return query.tags.map((tag) => conditionOf(tag, () => NOWHERE));
  const { startUnixNanos: fromUnixNanos, endUnixNanos: toUnixNanos, tenant } = query;
  const window = { tenant, fromUnixNanos, toUnixNanos };
  const there = asked.map(() => ({ resource: false, scope: false }));
  for (const block of await select(placesStatement(window, asked), signal)) {
    const scopes = block.numbers('scope');
    for (const [n, at] of there.entries()) {
      const found = block.numbers(`t${n}`);
      for (let i = 0; i < block.rows; i++) {
        if (found[i] === 1) at[scopes[i] === 1 ? 'scope' : 'resource'] = true;
      }
    }
  }
  return query.tags.map((tag) =>
    conditionOf(tag, (one) => {
      const n = asked.findIndex((other) => other.key === one.key && other.text === one.text);
      return there[n] ?? NOWHERE;
    }),
  );
}

/** Of a tag on no resource and no scope. */
export const NOWHERE: TagPlaces = { resource: false, scope: false };

function places(asked: Tag[], tag: Tag): TagPlaces {
  asked.push(tag);
  return NOWHERE;
}
