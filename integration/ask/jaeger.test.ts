// The calls that people's tools make of Jaeger, as they make them (Grafana's data source, Jaeger's UI
// of either generation), against a whole process.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call } from '../harness/http.ts';
import { Spanhouse } from '../harness/spanhouse.ts';
import { replay, testData } from './transcript.ts';

describe('Jaeger’s APIs, as they are asked', () => {
  let spanhouse: Spanhouse;
  before(async () => {
    // The spans are of November 2026: kept for long, so that this test does not end with them.
    spanhouse = await Spanhouse.start({ flags: ['--retention=3650d'] });
    const answer = await call(`${spanhouse.otlpHttp}/v1/traces`, {
      body: testData('spans.json'),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(answer.status, 200, answer.body.toString());
  });
  after(async () => {
    await spanhouse?.stop();
    await spanhouse?.remove();
  });

  test('Grafana’s Jaeger data source: health, editor, search, trace, node graph', () =>
    replay(spanhouse.query, 'grafana_jaeger.json'));

  test('Jaeger’s UI up to 2.14: search, trace, comparison, archive, architecture', () =>
    replay(spanhouse.query, 'jaeger_ui_classic.json'));

  test('Jaeger’s UI from 2.19: summaries instead of traces, an uploaded file', () =>
    replay(spanhouse.query, 'jaeger_ui.json', testData('spans.json')));
});
