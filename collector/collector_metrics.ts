// The collector's metrics: requests by outcome, and its half of the span ledger.

import type { Metrics } from '../service/metrics.ts';
import type { CollectorLedger } from './collector_ledger.ts';
import type { ReceiverMetrics } from './receivers/receiver_metrics.ts';

export interface CollectorMetrics {
  readonly receivers: ReceiverMetrics;
  readonly ledger: CollectorLedger;
}

export function registerCollectorMetrics(metrics: Metrics): CollectorMetrics {
  const requests = metrics.counter(
    'spanhouse_requests_total',
    'Requests by receiver and how they ended.',
    ['receiver', 'outcome'],
  );
  const bytes = metrics.counter(
    'spanhouse_request_bytes_total',
    'Body bytes as they came, before inflating.',
    ['receiver'],
  );
  const received = metrics.counter(
    'spanhouse_spans_received_total',
    'Spans of well-formed requests. received = stored + waiting + rejected + refused.',
    ['receiver'],
  );
  const rejected = metrics.counter(
    'spanhouse_spans_rejected_total',
    'Spans refused for good; the sender was told why.',
    ['reason'],
  );
  const refused = metrics.counter(
    'spanhouse_spans_refused_total',
    'Spans whose request was answered with an error: the sender still has them.',
  );
  return {
    receivers: {
      request: (receiver, outcome) => requests.add({ receiver, outcome }),
      receivedBytes: (receiver, count) => bytes.add({ receiver }, count),
    },
    ledger: {
      received: (receiver, spans) => received.add({ receiver }, spans),
      rejected: (reason, spans) => rejected.add({ reason }, spans),
      refused: (spans) => refused.add({}, spans),
    },
  };
}
