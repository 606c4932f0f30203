import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../service/metrics.ts';
import { receiverMetrics } from './receiver_metrics.ts';

test('requests are counted by receiver and outcome, bytes by receiver', async () => {
  const metrics = new Metrics();
  const counted = receiverMetrics(metrics);
  counted.request('otlp_http', 'ok');
  counted.request('otlp_http', 'ok');
  counted.request('otlp_grpc', 'too_large');
  counted.receivedBytes('otlp_grpc', 1000);
  const text = await metrics.expose();
  assert.match(text, /requests_total\{receiver="otlp_http",outcome="ok"\} 2/);
  assert.match(text, /requests_total\{receiver="otlp_grpc",outcome="too_large"\} 1/);
  assert.match(text, /bytes_total\{receiver="otlp_grpc"\} 1000/);
});
