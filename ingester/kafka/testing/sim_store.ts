// ClickHouse and the dead-letter topic for the simulation. Spans are numbers; a block is their list.

import { noneRejected } from '../../../model/codec/otlp/check_result.ts';
import type { DeadLetter, DeadLetters } from '../../../storage/dead_letter.ts';
import { deadLetterKey } from '../../../storage/dead_letter.ts';
import type { RangeRow, RangeStore } from '../../../storage/range_store.ts';
import type { LogRecord } from '../../../storage/span_log.ts';
import type { Block, SpanStore } from '../../../storage/span_store.ts';
import type { Built } from '../../build_blocks.ts';
import type { SimProcess } from './world.ts';

/** A record whose value starts so cannot be decoded. */
export const POISON = 'poison';

const BLOCK_SPANS = 5;

export class SimStore {
  /** How often each span was stored. */
  readonly stored = new Map<number, number>();
  readonly ranges = new Map<string, RangeRow>();
  readonly letters = new Map<string, DeadLetter>();
  readonly #tokens = new Set<string>();
  faultRate = 0;
  rows = 0;

  spansFor(process: SimProcess): SpanStore {
    return { insert: (block) => process.call(() => this.insert(block), { rate: this.faultRate }) };
  }

  rangesFor(process: SimProcess): RangeStore {
    return {
      insert: (row) => process.call(() => void this.#note(row), { rate: this.faultRate }),
    };
  }

  lettersFor(process: SimProcess): DeadLetters {
    const keep = (letter: DeadLetter): void => {
      this.letters.set(deadLetterKey(letter.source, letter.record.offset), letter);
    };
    return {
      publish: (letters) => process.call(() => letters.forEach(keep), { rate: this.faultRate }),
    };
  }

  insert(block: Block): void {
    if (this.#tokens.has(block.token)) return;
    this.#tokens.add(block.token);
    for (const span of spansOf(block.native)) {
      this.stored.set(span, (this.stored.get(span) ?? 0) + 1);
      this.rows++;
    }
  }

  #note(row: RangeRow): void {
    this.ranges.set(`${row.source.partition}:${row.first}-${row.last}`, row);
  }
}

function spansOf(bytes: Uint8Array): number[] {
  return Buffer.from(bytes).toString().split(',').map(Number);
}

/** The records' spans in order, cut into blocks of `blockSpans`. */
export function buildBlocks(records: readonly LogRecord[], blockSpans = BLOCK_SPANS): Built {
  const failed: number[] = [];
  const spans: number[] = [];
  records.forEach((record, i) => {
    if (Buffer.from(record.bytes).toString().startsWith(POISON)) failed.push(i);
    else spans.push(...spansOf(record.bytes));
  });
  const blocks = [];
  for (let at = 0; at < spans.length; at += blockSpans) {
    const cut = spans.slice(at, at + blockSpans);
    blocks.push({ rows: cut.length, native: new Uint8Array(Buffer.from(cut.join(','))) });
  }
  const none = { droppedAttributes: 0, droppedEvents: 0, droppedLinks: 0, cutValues: 0 };
  return { blocks, failed, counts: { spans: spans.length, rejected: noneRejected(), ...none } };
}
