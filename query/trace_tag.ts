// Says by a short text which spans a trace has: equal texts, equal answers. From the identity of each
// span, whose hash covers its bytes, resource and scope; in whatever order they come.

import { halves, mix } from '../model/analysis/id_hash.ts';
import type { NativeBlock } from '../storage/clickhouse/native_column.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import type { TraceKey } from '../storage/clickhouse/statement.ts';
import { identitiesStatement } from '../storage/clickhouse/trace_statements.ts';

/** Two sums of 32 bits, and the count: whoever wants two traces to have one tag only misleads himself. */
export class TraceTag {
  #count = 0;
  #a = 0;
  #b = 0;

  /** One row of a block with span_id, kind and h. */
  add({ ids, kinds, hashes }: Identities, row: number): void {
    const [low, high] = [ids[2 * row]!, ids[2 * row + 1]!];
    const own = hashes[row]! ^ kinds[row]!;
    this.#count++;
    this.#a = (this.#a + mix(mix(low ^ 0x9e37_79b1) ^ mix(high ^ own))) | 0;
    this.#b = (this.#b + mix(mix(high ^ 0x85eb_ca77) ^ mix(own ^ mix(low)))) | 0;
  }

  get text(): string {
    const hex = (sum: number): string => (sum >>> 0).toString(16).padStart(8, '0');
    return `${this.#count.toString(16)}-${hex(this.#a)}${hex(this.#b)}`;
  }
}

export interface Identities {
  /** Halves of the span ids. */
  readonly ids: Uint32Array;
  readonly kinds: NativeNumbers;
  readonly hashes: NativeNumbers;
}

type NativeNumbers = ReturnType<NativeBlock['numbers']>;

export function identitiesOf(block: NativeBlock): Identities {
  return {
    ids: halves(block.unsigned64('span_id')),
    kinds: block.numbers('kind'),
    hashes: block.numbers('h'),
  };
}

/** The tag of a trace as it is stored now; undefined where it is not. Throws SelectError. */
export async function readTag(
  select: Select,
  tenant: string,
  key: TraceKey,
  spansMax: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const tag = new TraceTag();
  let count = 0;
  for (const block of await select(identitiesStatement(tenant, key, spansMax), signal)) {
    const identities = identitiesOf(block);
    for (let row = 0; row < block.rows; row++) tag.add(identities, row);
    count += block.rows;
  }
  return count === 0 || count >= spansMax ? undefined : tag.text;
}
