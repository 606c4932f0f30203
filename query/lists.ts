// The lists that a search form begins with: services, and the operations of one.

import type { SpanKind } from '../model/span.ts';
import { operationsStatement, servicesStatement } from '../storage/clickhouse/list_statements.ts';
import type { Select } from '../storage/clickhouse/select.ts';

/** A form cannot offer more; a sender who makes names up may not make the answer endless. */
export const SERVICES_MAX = 10_000;
export const OPERATIONS_MAX = 50_000;

export interface Operation {
  readonly name: string;
  readonly kind: SpanKind;
}

/** Sorted; throws SelectError. */
export async function listServices(
  select: Select,
  tenant: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const services: string[] = [];
  for (const block of await select(servicesStatement(tenant, SERVICES_MAX), signal)) {
    const column = block.strings('service');
    for (let i = 0; i < block.rows; i++) services.push(column.at(i));
  }
  return services;
}

/** Sorted by name, then kind; throws SelectError. */
export async function listOperations(
  select: Select,
  tenant: string,
  of: { readonly service: string; readonly kind?: SpanKind },
  signal?: AbortSignal,
): Promise<Operation[]> {
  const operations: Operation[] = [];
  const statement = operationsStatement(tenant, of.service, of.kind, OPERATIONS_MAX);
  for (const block of await select(statement, signal)) {
    const names = block.strings('name');
    const kinds = block.numbers('kind');
    for (let i = 0; i < block.rows; i++) {
      operations.push({ name: names.at(i), kind: kinds[i] as SpanKind });
    }
  }
  return operations;
}
