// Statements that list services and operations.

import type { Statement } from './statement.ts';

/** Column service, sorted. */
export function servicesStatement(tenant: string, limit: number): Statement {
  return {
    sql: `SELECT DISTINCT service
FROM {db:Identifier}.operations
WHERE tenant = {tenant:String}
ORDER BY service
LIMIT {limit:UInt32}`,
    params: { tenant, limit },
  };
}

/** Columns name and kind, each pair once, sorted; of one kind where that is given. */
export function operationsStatement(
  tenant: string,
  service: string,
  kind: number | undefined,
  limit: number,
): Statement {
  const ofKind = kind === undefined ? '' : '\n  AND kind = {kind:UInt8}';
  return {
    sql: `SELECT DISTINCT name, kind
FROM {db:Identifier}.operations
WHERE tenant = {tenant:String}
  AND service = {service:String}${ofKind}
ORDER BY name, kind
LIMIT {limit:UInt32}`,
    params: { tenant, service, limit, ...(kind === undefined ? {} : { kind }) },
  };
}
