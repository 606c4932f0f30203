// What receivers count. Labels are closed sets of ours: nothing from a request becomes one.

import type { RefusalCode } from '../../service/refusal.ts';
import type { Batch } from '../batch.ts';

/** `partial`: accepted, some spans rejected. `gone`: the client left before it was answered. */
export type Outcome = 'ok' | 'partial' | 'gone' | RefusalCode;

export interface ReceiverMetrics {
  /** One request has ended. */
  request(receiver: Batch['receiver'], outcome: Outcome): void;
  /** Body bytes as they came, before inflating; also those of refused requests. */
  receivedBytes(receiver: Batch['receiver'], bytes: number): void;
}
