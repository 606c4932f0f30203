// Ledgers for tests that count elsewhere.

import type { IngesterLedger } from '../../ingester_ledger.ts';
import type { ConsumeLedger } from '../consume_ledger.ts';

const nothing = (): void => undefined;

export const silentInserts: IngesterLedger = {
  stored: nothing,
  inserted: nothing,
  retried: nothing,
  lost: nothing,
};

export const silentConsume: ConsumeLedger = {
  consumed: nothing,
  rejected: nothing,
  deadLettered: nothing,
  lost: nothing,
  replayed: nothing,
  fenced: nothing,
  retried: nothing,
  held: nothing,
};
