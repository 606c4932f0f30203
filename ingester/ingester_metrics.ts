// The ingester's metrics: inserts, and its half of the span ledger.

import type { Metrics } from '../service/metrics.ts';
import type { IngesterLedger } from './ingester_ledger.ts';

/** From a lone span to a full block. */
const BLOCK_ROWS_BUCKETS = [1, 10, 100, 1_000, 10_000, 60_000];

/** A block of full size has some 25 MB. */
const BLOCK_BYTES_BUCKETS = [1e3, 1e4, 1e5, 1e6, 4e6, 16e6, 64e6];

export function registerIngesterMetrics(metrics: Metrics): IngesterLedger {
  const stored = metrics.counter(
    'spanhouse_spans_stored_total',
    'Spans that the store has acknowledged.',
  );
  const seconds = metrics.histogram(
    'spanhouse_insert_seconds',
    'From the first try of a block to its acknowledgement, retries included.',
  );
  const rows = metrics.histogram(
    'spanhouse_insert_rows',
    'Rows of a block.',
    [],
    BLOCK_ROWS_BUCKETS,
  );
  const sizes = metrics.histogram(
    'spanhouse_insert_block_bytes',
    'Bytes of a block, as it goes to the store.',
    [],
    BLOCK_BYTES_BUCKETS,
  );
  const bytes = metrics.counter('spanhouse_insert_bytes_total', 'Bytes of acknowledged blocks.');
  const retries = metrics.counter(
    'spanhouse_insert_retries_total',
    'Inserts that failed and were tried again under their token.',
  );
  const lost = metrics.counter(
    'spanhouse_span_parts_dropped_total',
    'Parts of stored spans that a limit took away (docs/adr, model/limits.ts).',
    ['part'],
  );
  return {
    stored: (spans) => stored.add({}, spans),
    inserted: (count, size, took) => {
      rows.observe({}, count);
      bytes.add({}, size);
      sizes.observe({}, size);
      seconds.observe({}, took);
    },
    retried: () => retries.add({}),
    lost: (counts) => {
      lost.add({ part: 'attribute' }, counts.droppedAttributes);
      lost.add({ part: 'event' }, counts.droppedEvents);
      lost.add({ part: 'link' }, counts.droppedLinks);
      lost.add({ part: 'value_end' }, counts.cutValues);
    },
  };
}
