// Remote sampling over real sockets, asked as each client asks.

import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { ProtoWriter } from '../../model/codec/otlp/proto_writer.ts';
import type { Strategy } from '../sampling/strategies.ts';
import { startJaegerRig } from './testing/jaeger_rig.ts';
import { call, framed } from './testing/rig.ts';

const strategyOf = (service: string): Strategy =>
  service === 'shop'
    ? { type: 'ratelimiting', perSecond: 3 }
    : { type: 'probabilistic', probability: 0.001 };

async function ask(port: number, path: string): Promise<readonly [number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
}

const SHOP = '{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":3}}';
const OTHER = '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.001}}';

test('HTTP answers on every path that a client knows', async () => {
  await using rig = await startJaegerRig({ strategyOf });
  for (const path of ['/sampling', '/', '/api/sampling']) {
    assert.deepEqual(await ask(rig.samplingPort, `${path}?service=shop`), [200, SHOP]);
    assert.deepEqual(await ask(rig.samplingPort, `${path}?service=x`), [200, OTHER]);
  }
  assert.deepEqual(await ask(rig.httpPort, '/api/sampling?service=shop'), [200, SHOP]);
  const baggage = await ask(rig.samplingPort, '/baggageRestrictions?service=shop');
  assert.deepEqual(baggage, [200, '[]']);
});

test('HTTP wants exactly one service', async () => {
  await using rig = await startJaegerRig({ strategyOf });
  const message = "'service' parameter must be provided once\n";
  for (const query of ['', '?service=', '?service=a&service=b', '?other=a']) {
    assert.deepEqual(await ask(rig.samplingPort, `/sampling${query}`), [400, message]);
  }
});

test('gRPC answers what OpenTelemetry Java asks on the port of the spans', async () => {
  await using rig = await startJaegerRig({ strategyOf });
  const session = connect(`http://127.0.0.1:${rig.grpc.port}`);
  const headers = { ':path': '/jaeger.api_v2.SamplingManager/GetSamplingStrategy' };
  const parameters = new ProtoWriter(0);
  parameters.string(1, 'shop');
  const frames = [framed(parameters.finish())];
  const answer = await call(session, { headers, frames });
  assert.equal(answer.code, 0);
  assert.equal(answer.data.subarray(5).toString('hex'), '08011a020803');
  const bad = await call(session, { headers, frames: [framed(Buffer.from('0aff', 'hex'))] });
  assert.equal(bad.code, 3);
  session.destroy();
});
