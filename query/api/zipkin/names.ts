// Zipkin's API knows names in lower case only; they are stored as they were sent. Here lists become
// lower case, and what is asked for becomes what is stored.

import type { Select } from '../../../storage/clickhouse/select.ts';
import type { Statement } from '../../../storage/clickhouse/statement.ts';
import {
  remoteServicesStatement,
  remoteSpellingsStatement,
  spanNamesStatement,
  spellingsStatement,
  tagValuesStatement,
  type ValuesOf,
} from '../../../storage/clickhouse/zipkin_statements.ts';
import { listServices } from '../../lists.ts';

/** A form cannot offer more; a sender who makes names up may not make the answer endless. */
const NAMES_MAX = 50_000;

/** All lists are sorted and throw SelectError. */
export async function serviceNames(
  select: Select,
  tenant: string,
  signal: AbortSignal,
): Promise<string[]> {
  return inLowerCase(await listServices(select, tenant, signal));
}

export async function spanNames(
  select: Select,
  tenant: string,
  service: string,
  signal: AbortSignal,
): Promise<string[]> {
  const statement = spanNamesStatement(tenant, service, NAMES_MAX);
  return inLowerCase(await column(select, statement, 'name', signal));
}

export async function remoteServiceNames(
  select: Select,
  tenant: string,
  service: string,
  signal: AbortSignal,
): Promise<string[]> {
  const statement = remoteServicesStatement(tenant, service, NAMES_MAX);
  return inLowerCase(await column(select, statement, 'remote', signal));
}

export async function tagValues(
  select: Select,
  of: ValuesOf,
  signal: AbortSignal,
): Promise<string[]> {
  return (await column(select, tagValuesStatement(of), 'value', signal)).sort();
}

export interface Spelling {
  readonly service?: string;
  readonly operation?: string;
}

/** What is stored of a service and of a name of its spans; as it was typed where nothing is. */
export async function spellingsOf(
  select: Select,
  tenant: string,
  { service, spanName }: { readonly service?: string; readonly spanName?: string },
  signal: AbortSignal,
): Promise<Spelling[]> {
  if (service === undefined && spanName === undefined) return [{}];
  const found: Spelling[] = [];
  for (const block of await select(spellingsStatement(tenant, service, spanName), signal)) {
    const services = service === undefined ? undefined : block.strings('service');
    const names = spanName === undefined ? undefined : block.strings('name');
    for (let i = 0; i < block.rows; i++) {
      found.push({
        ...(services === undefined ? {} : { service: services.at(i) }),
        ...(names === undefined ? {} : { operation: names.at(i) }),
      });
    }
  }
  if (found.length > 0) return found;
  return [
    {
      ...(service === undefined ? {} : { service }),
      ...(spanName === undefined ? {} : { operation: spanName }),
    },
  ];
}

export async function remoteSpellings(
  select: Select,
  tenant: string,
  remote: string,
  signal: AbortSignal,
): Promise<string[]> {
  const found = await column(select, remoteSpellingsStatement(tenant, remote), 'remote', signal);
  return found.length > 0 ? found : [remote];
}

async function column(
  select: Select,
  statement: Statement,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  const texts: string[] = [];
  for (const block of await select(statement, signal)) {
    const values = block.strings(name);
    for (let i = 0; i < block.rows; i++) texts.push(values.at(i));
  }
  return texts;
}

function inLowerCase(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))].sort();
}
