// The collector's half of the span ledger (P4): every span that came in has one fate.

import {
  REJECT_REASONS,
  type Rejected,
  type RejectReason,
} from '../model/codec/otlp/check_result.ts';
import type { Batch } from './batch.ts';

/** `over_record`: with its resource and scope, larger than a record of the log may be. */
export type RejectedAs = RejectReason | 'over_record';

export interface CollectorLedger {
  /** Spans of well-formed requests, whatever becomes of them. */
  received(receiver: Batch['receiver'], spans: number): void;
  /** Spans refused for good; the sender was told. */
  rejected(reason: RejectedAs, spans: number): void;
  /** Spans whose request was answered with an error: the sender still has them. */
  refused(spans: number): void;
}

export function countRejected(ledger: CollectorLedger, rejected: Readonly<Rejected>): void {
  for (const reason of REJECT_REASONS) {
    if (rejected[reason] > 0) ledger.rejected(reason, rejected[reason]);
  }
}
