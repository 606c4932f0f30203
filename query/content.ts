// The resources and scopes that spans name by content id. An id stands for the same bytes for ever,
// so what was read once is kept: looking both up costs as much as reading a trace of 12 (25 ms of
// CPU), and a system has some hundreds of them.

import { readResource, readScope } from '../model/codec/otlp/read.ts';
import { keyValueHash } from '../model/hash.ts';
import type { Resource, Scope } from '../model/span.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { contentStatement, IDS_PER_STATEMENT_MAX } from '../storage/clickhouse/trace_statements.ts';

/** Some ten thousand resources: more than a large system runs at once. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;
/** Objects, keys and map entries beside the bytes, which become strings of twice their size. */
const ENTRY_BYTES = 1024;
const BYTES_FACTOR = 3;

/** Where a request named no resource or scope at all, nothing is stored of them. */
export const NO_RESOURCE: Resource = { attributes: [], droppedAttributesCount: 0, schemaUrl: '' };
export const NO_SCOPE: Scope = { ...NO_RESOURCE, name: '', version: '' };
/** The id of no bytes and no schema URL (model/codec/otlp/README.md). */
const NOTHING = keyValueHash('', '');

/** What one store has been asked for goes with the way to it. */
const keptOf = new WeakMap<Select, Kept>();

/** What spans name, and when they were: a block writes both under the days of its spans. */
export interface Named {
  readonly resourceIds: ReadonlySet<bigint>;
  readonly scopeIds: ReadonlySet<bigint>;
  /** Days since 1970, both inclusive. */
  readonly days: { readonly first: number; readonly last: number };
}

/** Resources by id; ids that are not there are left out. Throws SelectError. */
export function getResources(
  select: Select,
  tenant: string,
  { resourceIds: ids, days }: Named,
  signal?: AbortSignal,
): Promise<Map<bigint, Resource>> {
  return getContent(select, { table: 'resources', tenant, ids, days }, readResource, signal);
}

/** Scopes by id; ids that are not there are left out. Throws SelectError. */
export function getScopes(
  select: Select,
  tenant: string,
  { scopeIds: ids, days }: Named,
  signal?: AbortSignal,
): Promise<Map<bigint, Scope>> {
  return getContent(select, { table: 'scopes', tenant, ids, days }, readScope, signal);
}

interface Content {
  readonly table: 'resources' | 'scopes';
  readonly tenant: string;
  readonly ids: ReadonlySet<bigint>;
  readonly days: { readonly first: number; readonly last: number };
}

async function getContent<T extends Resource | Scope>(
  select: Select,
  { table, tenant, ids, days }: Content,
  read: (bytes: Uint8Array, schemaUrl: string) => T,
  signal: AbortSignal | undefined,
): Promise<Map<bigint, T>> {
  const kept = keptOf.get(select) ?? new Kept();
  keptOf.set(select, kept);
  const found = new Map<bigint, T>();
  const asked: bigint[] = [];
  for (const id of ids) {
    const known = kept.get(keyOf(table, tenant, id));
    if (known !== undefined) found.set(id, known as T);
    else if (id !== NOTHING) asked.push(id);
  }
  for (let at = 0; at < asked.length; at += IDS_PER_STATEMENT_MAX) {
    const some = asked.slice(at, at + IDS_PER_STATEMENT_MAX);
    for (const block of await select(contentStatement(table, tenant, some, days), signal)) {
      const id = block.bigs('id');
      const bytes = block.strings('bytes');
      const schemaUrl = block.strings('schema_url');
      for (let i = 0; i < block.rows; i++) {
        const one = bytes.bytesAt(i);
        const content = read(one, schemaUrl.at(i));
        found.set(id[i]!, content);
        kept.add(keyOf(table, tenant, id[i]!), content, ENTRY_BYTES + one.length * BYTES_FACTOR);
      }
    }
  }
  return found;
}

function keyOf(table: string, tenant: string, id: bigint): string {
  return `${table} ${id} ${tenant}`;
}

/** What was used last stays. */
class Kept {
  readonly #entries = new Map<string, { content: Resource | Scope; bytes: number }>();
  #bytes = 0;

  get(key: string): Resource | Scope | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.content;
  }

  add(key: string, content: Resource | Scope, bytes: number): void {
    this.#drop(key);
    this.#entries.set(key, { content, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= KEPT_BYTES_MAX) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
