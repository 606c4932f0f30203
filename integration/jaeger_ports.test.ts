// What Jaeger clients sent, by each of its ports into a whole process, and out again by Jaeger's API.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from './harness/eventually.ts';
import { getTrace, type JaegerTrace } from './harness/jaeger.ts';
import { freePorts } from './harness/ports.ts';
import { Spanhouse } from './harness/spanhouse.ts';

interface Captured {
  readonly spans: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly name: string;
    readonly attributes: Readonly<Record<string, readonly [string, unknown]>>;
  }[];
}

/** As their clients sent them; their times are those of a day that may be past the retention. */
const FOLDER = new URL('../model/codec/jaeger/testdata/', import.meta.url);

function captured(name: string): { readonly bytes: Buffer; readonly spans: Captured['spans'] } {
  const json = readFileSync(new URL(`${name}.json`, FOLDER), 'utf8');
  const { spans } = JSON.parse(json) as Captured;
  return { bytes: readFileSync(new URL(`${name}.bin`, FOLDER)), spans };
}

/** Stored within 1.5 s, and a busy machine takes its time. */
const SHOWN_MS = 20_000;

test('Jaeger’s HTTP and UDP ports take what its clients send, and show it as it was', async () => {
  const [http = 0, udp = 0, sampling = 0] = await freePorts(3);
  const flags = [
    `--listen-jaeger-http=${http}`,
    `--listen-jaeger-compact=${udp}`,
    `--listen-sampling-http=${sampling}`,
    // Captured in November 2026: kept for long, so that this test does not end with them.
    '--retention=3650d',
  ];
  const spanhouse = await Spanhouse.start({ flags });
  try {
    const overHttp = captured('jaeger-go-http.1');
    const response = await fetch(`http://127.0.0.1:${http}/api/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-thrift' },
      body: new Uint8Array(overHttp.bytes),
    });
    assert.equal(response.status, 202, await response.text());
    await isShown(spanhouse.query, overHttp.spans);

    const overUdp = captured('jaeger-py-udp.1');
    const socket = createSocket('udp4');
    await new Promise((resolve) => socket.send(overUdp.bytes, udp, '127.0.0.1', resolve));
    socket.close();
    await isShown(spanhouse.query, overUdp.spans);

    const answer = await fetch(`http://127.0.0.1:${sampling}/sampling?service=shop-go`);
    assert.deepEqual(await answer.json(), {
      strategyType: 'PROBABILISTIC',
      probabilisticSampling: { samplingRate: 0.001 },
    });
    await spanhouse.stop();
  } finally {
    await spanhouse.remove();
  }
});

async function isShown(query: string, spans: Captured['spans']): Promise<void> {
  const traceId = spans[0]?.traceId ?? '';
  const trace = await eventually<JaegerTrace>(`all of ${traceId}`, SHOWN_MS, async () => {
    const found = await getTrace(query, traceId);
    return found?.spans.length === spans.length ? found : undefined;
  });
  for (const sent of spans) {
    const shown = trace.spans.find(({ spanID }) => spanID === sent.spanId);
    assert.equal(shown?.operationName, sent.name);
    for (const [key, [, value]] of Object.entries(sent.attributes)) {
      assert.deepEqual(shown?.tags.find((tag) => tag.key === key)?.value, value, key);
    }
  }
}
