// A partition that cannot go on without somebody's help. Its offset stays where it is.

import type { HeldReason } from './consume_ledger.ts';

export class HeldError extends Error {
  readonly reason: HeldReason;
  constructor(reason: HeldReason) {
    super(`The partition is held: ${reason}.`);
    this.name = 'HeldError';
    this.reason = reason;
  }
}
