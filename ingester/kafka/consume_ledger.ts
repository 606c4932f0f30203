// The consuming half of the span ledger (P4), and what an operator is told.

import type { DeadLetterReason } from '../../storage/dead_letter.ts';

/** Why a partition stands still until someone acts; a closed set, a metric label. */
export const HELD_REASONS = [
  'newer_version',
  'unreadable_intent',
  'log_truncated',
  'store_refused',
  'dead_letters_refused',
  'unbuildable',
] as const;

export type HeldReason = (typeof HELD_REASONS)[number];

export interface ConsumeLedger {
  /** Records of a range whose insert, dead letters and ledger row are all safe. */
  consumed(records: number): void;
  rejected(reason: string, spans: number): void;
  deadLettered(reason: DeadLetterReason, records: number): void;
  /** Offsets that retention took before they could be read. */
  lost(records: number): void;
  /** A range of an earlier owner, or of an earlier life, was inserted again under its token. */
  replayed(): void;
  fenced(): void;
  /** Something is tried again: log, dead letters, ledger row. */
  retried(): void;
  /** Tells the operator, once for each time that a partition begins to be held. */
  held(partition: number, reason: HeldReason): void;
}
