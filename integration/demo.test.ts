import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getServices, searchTraces } from './harness/jaeger.ts';
import { runSpanhouse, Spanhouse } from './harness/spanhouse.ts';

/** "About ten services" is what the demo shop promises. */
const SERVICES_MIN = 8;

test('the demo fills an empty Spanhouse with a shop that can be looked at', async () => {
  const spanhouse = await Spanhouse.start();
  try {
    const demo = await runSpanhouse(['demo', '--once', '--endpoint', spanhouse.otlpHttp]);
    assert.equal(demo.code, 0, demo.output);
    const services = await getServices(spanhouse.query);
    assert.ok(services.length >= SERVICES_MIN, services.join(', '));
    const linked = [...demo.output.matchAll(/\/api\/traces\/([0-9a-f]{32})/g)];
    assert.ok(linked.length > 0, 'it prints traces worth looking at');
    for (const [, traceID = ''] of linked) {
      const [trace] = await searchTraces(spanhouse.query, { traceID });
      assert.ok((trace?.spans.length ?? 0) > 1, `${traceID} is there`);
    }
    const failed = await searchTraces(spanhouse.query, {
      service: 'checkout',
      tags: '{"error":"true"}',
    });
    assert.ok(failed.length > 0, 'some checkout has an error');
    await checkWhere(spanhouse.query);
    await spanhouse.stop();
  } finally {
    await spanhouse.remove();
  }
});

/** The rows of `spanhouse where` lead with the shop's slow step, and add up to the mean. */
async function checkWhere(query: string): Promise<void> {
  const asked = ['where', '--service=checkout', '--rows=100', `--query=${query}`];
  const { code, output } = await runSpanhouse(asked);
  assert.equal(code, 0, output);
  const mean = Number(/: ([\d.]+) ms each on average/.exec(output)?.[1]);
  const rows = [...output.matchAll(/^ *([\d.]+) +[\d.]+ % .*$/gm)];
  assert.match(rows[0]?.[0] ?? '', /payment: score risk/);
  const sum = rows.reduce((total, [, ms]) => total + Number(ms), 0);
  assert.ok(Math.abs(sum - mean) < 2, `${sum} of ${mean}, each rounded:\n${output}`);
}

test('without a Spanhouse, the demo says in one sentence how to start one', async () => {
  const demo = await runSpanhouse(['demo', '--once', '--endpoint', 'http://127.0.0.1:9']);
  assert.notEqual(demo.code, 0);
  assert.match(demo.output, /npm start|spanhouse all-in-one/);
  assert.doesNotMatch(demo.output, /\n\s+at /);
});
