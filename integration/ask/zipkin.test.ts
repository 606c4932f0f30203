// The calls that people's tools make of Zipkin, as they make them (Grafana's data source, Zipkin's
// page), on the port that receives spans, too. The same questions reach spans of either protocol.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { call } from '../harness/http.ts';
import { Spanhouse } from '../harness/spanhouse.ts';
import { replay, testData } from './transcript.ts';

describe('Zipkin’s API, as it is asked', () => {
  let spanhouse: Spanhouse;
  let page: string;
  before(async () => {
    page = await mkdtemp(join(tmpdir(), 'spanhouse-page-'));
    await writeFile(join(page, 'index.html'), '<html><base href="/zipkin/">lens</html>');
    const flags = [
      // The spans are of November 2026: kept and found for long, so that this test outlives them.
      ...['--retention=3650d', '--zipkin-lookback=3650d'],
      ...['--zipkin-autocomplete-keys=environment', `--ui-zipkin-path=${page}`],
    ];
    spanhouse = await Spanhouse.start({ flags });
    for (const [url, name] of [
      [`${spanhouse.zipkin}/api/v2/spans`, 'zipkin_spans.json'],
      [`${spanhouse.otlpHttp}/v1/traces`, 'spans.json'],
    ] as const) {
      const headers = { 'content-type': 'application/json' };
      const answer = await call(url, { body: testData(name), headers });
      assert.ok(answer.status === 202 || answer.status === 200, answer.body.toString());
    }
  });
  after(async () => {
    await spanhouse?.stop();
    await spanhouse?.remove();
    await rm(page, { recursive: true, force: true });
  });

  test('Grafana’s Zipkin data source: health, editor, search, trace', () =>
    replay(spanhouse.zipkin, 'grafana_zipkin.json'));

  test('Zipkin’s page: its files, forms, searches, a trace, dependencies', () =>
    replay(spanhouse.zipkin, 'zipkin_lens.json'));

  test('the same is below /zipkin on the port for queries, which receives nothing', async () => {
    const trace = '/zipkin/api/v2/trace/463ac35c9f6413ad48485a3953bb6124';
    const answers = await Promise.all(
      [spanhouse.query, spanhouse.zipkin].map((base) => call(`${base}${trace}`, {})),
    );
    assert.deepEqual(answers[0]?.body, answers[1]?.body);
    const headers = { 'content-type': 'application/json' };
    const sent = { method: 'POST', body: testData('zipkin_spans.json'), headers };
    assert.equal((await call(`${spanhouse.query}/zipkin/api/v2/spans`, sent)).status, 404);
    assert.equal((await call(`${spanhouse.query}/api/v2/services`, {})).status, 404);
  });

  test('metrics tell what was received, by Zipkin’s names and by ours', async () => {
    const metrics = (await call(`${spanhouse.zipkin}/metrics`, {})).body.toString();
    assert.equal(JSON.parse(metrics)['counter.zipkin_collector.spans.http'], 6);
    const exposed = (await call(`${spanhouse.zipkin}/prometheus`, {})).body.toString();
    assert.match(exposed, /spanhouse_spans_received_total\{receiver="zipkin_http"\} 6/);
  });
});
