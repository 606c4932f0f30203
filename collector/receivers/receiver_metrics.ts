// What receivers count. Labels are closed sets of ours: nothing from a request becomes one.

import type { Metrics } from '../../service/metrics.ts';
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

/** Registers `spanhouse_receiver_requests_total` and `spanhouse_receiver_bytes_total`. */
export function receiverMetrics(metrics: Metrics): ReceiverMetrics {
  const requests = metrics.counter(
    'spanhouse_receiver_requests_total',
    'Requests that ended, by receiver and outcome: ok, partial, gone, or why they were refused.',
    ['receiver', 'outcome'],
  );
  const bytes = metrics.counter(
    'spanhouse_receiver_bytes_total',
    'Body bytes received, before decompression.',
    ['receiver'],
  );
  return {
    request: (receiver, outcome) => requests.add({ receiver, outcome }),
    receivedBytes: (receiver, count) => bytes.add({ receiver }, count),
  };
}
