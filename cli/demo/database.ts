// PostgreSQL and Redis as clients see them, by OpenTelemetry's stable database conventions (1.28
// and later).

import type { Operation } from './operation.ts';

export interface Query {
  /** With placeholders; the first word is the operation. */
  readonly text: string;
  readonly table: string;
  readonly medianMs: number;
  readonly rows?: number;
}

/**
 * A statement to the service's own database; returns the span for a scenario that makes it fail.
 */
export function sql(caller: Operation, query: Query): Operation {
  const operation = query.text.split(' ', 1)[0] ?? '';
  const start = {
    name: `${operation} ${query.table}`,
    kind: 3 as const,
    library: 'sql' as const,
    attributes: {
      'db.system.name': 'postgresql',
      'db.namespace': caller.pod.service,
      'db.collection.name': query.table,
      'db.operation.name': operation,
      'db.query.text': query.text,
      'db.query.summary': `${operation} ${query.table}`,
      'db.response.returned_rows': query.rows,
      'server.address': `${caller.pod.service}-db.shop.svc.cluster.local`,
      'server.port': 5432,
    },
  };
  return caller.child(start, (client) => client.work(query.medianMs));
}

/** Looks a key up; returns whether it was there, which is so with the given probability. */
export function cacheGet(caller: Operation, keyPattern: string, hitProbability: number): boolean {
  const hit = caller.random.chance(hitProbability);
  cache(caller, 'GET', keyPattern, 0.4, { 'cache.hit': hit });
  return hit;
}

export function cacheSet(caller: Operation, keyPattern: string): void {
  cache(caller, 'SETEX', keyPattern, 0.5, {});
}

function cache(
  caller: Operation,
  operation: string,
  keyPattern: string,
  medianMs: number,
  more: Readonly<Record<string, boolean>>,
): void {
  const start = {
    name: operation,
    kind: 3 as const,
    library: 'redis' as const,
    attributes: {
      'db.system.name': 'redis',
      'db.namespace': '0',
      'db.operation.name': operation,
      'db.query.text': `${operation} ${keyPattern}`,
      'server.address': 'cache.shop.svc.cluster.local',
      'server.port': 6379,
      ...more,
    },
  };
  caller.child(start, (client) => client.work(medianMs));
}
