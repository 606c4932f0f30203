// Starting, refusing to start, and starting again on the same data.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { httpExporter } from './harness/exporter.ts';
import { call } from './harness/http.ts';
import { getTrace, type JaegerTrace } from './harness/jaeger.ts';
import { encodeRequest, hex, traceOf } from './harness/otlp.ts';
import {
  choosePorts,
  flagsFor,
  runSpanhouse,
  Spanhouse,
  temporaryDirectory,
} from './harness/spanhouse.ts';

async function sendTrace(spanhouse: Spanhouse): Promise<string> {
  const spans = traceOf(4);
  const exporter = httpExporter(spanhouse.otlpHttp);
  const outcome = await exporter.export(encodeRequest('restart', spans));
  exporter.close();
  assert.equal(outcome.kind, 'ok');
  return hex(spans[0]?.traceId ?? Buffer.alloc(0));
}

/** Spans and processes come in no promised order. */
function inOrder(trace: JaegerTrace | undefined) {
  return trace?.spans
    .map((span) => ({ ...span, processID: trace.processes[span.processID] }))
    .sort((a, b) => (a.spanID < b.spanID ? -1 : 1));
}

test('what was sent is still there after a stop and a start', async () => {
  const first = await Spanhouse.start();
  const { directory } = first;
  let second: Spanhouse | undefined;
  try {
    const id = await sendTrace(first);
    const before = await getTrace(first.query, id);
    assert.equal(before?.spans.length, 4);
    await first.stop();
    second = await Spanhouse.start({ directory });
    assert.deepEqual(inOrder(await getTrace(second.query, id)), inOrder(before));
    await second.stop();
  } finally {
    await second?.kill();
    await first.remove();
  }
});

test('a second instance on the same data directory says that it is in use, and the first goes on', async () => {
  const first = await Spanhouse.start();
  try {
    const args = ['all-in-one', ...flagsFor(await choosePorts(), first.directory)];
    const second = await runSpanhouse(args);
    assert.notEqual(second.code, 0);
    assert.equal(second.signal, null);
    assert.match(second.output, /in use/);
    assert.ok(second.output.includes(first.directory), second.output);
    assert.doesNotMatch(second.output, /\n\s+at /, 'a sentence, not a stack trace');
    await sendTrace(first);
    await first.stop();
  } finally {
    await first.remove();
  }
});

test('a port that is taken is named with its setting', async () => {
  const ports = await choosePorts();
  const blocker = createServer();
  blocker.listen(ports.otlpHttp, '127.0.0.1');
  await once(blocker, 'listening');
  const directory = await temporaryDirectory();
  try {
    const args = ['all-in-one', ...flagsFor(ports, directory)];
    const { code, output } = await runSpanhouse(args);
    assert.notEqual(code, 0);
    assert.match(output, new RegExp(`\\b${ports.otlpHttp}\\b`));
    assert.match(output, /listen\.otlp_http/);
    assert.doesNotMatch(output, /\n\s+at /, 'a sentence, not a stack trace');
  } finally {
    blocker.close();
    await rm(directory, { recursive: true, force: true });
  }
});

test('wrong settings are all listed at once, and nothing is started', async () => {
  const ports = await choosePorts();
  const { code, output } = await runSpanhouse(
    [
      'all-in-one',
      `--listen-health=${ports.health}`,
      '--listen-query=nonsense',
      '--retention=soon',
      '--memory-limitt=1GiB',
    ],
    { SPANHOUSE_LOG_LEVEL: 'loud' },
  );
  assert.notEqual(code, 0);
  assert.match(output, /listen.query.*nonsense/);
  assert.match(output, /retention.*soon/);
  assert.match(output, /memory-limitt.*memory-limit\b/);
  assert.match(output, /SPANHOUSE_LOG_LEVEL.*loud|loud.*SPANHOUSE_LOG_LEVEL/);
  assert.doesNotMatch(output, /\n\s+at /, 'sentences, not a stack trace');
  await assert.rejects(call(`http://127.0.0.1:${ports.health}/healthz`));
});

test('an unknown command gets a suggestion', async () => {
  const { code, output } = await runSpanhouse(['all-in-on']);
  assert.notEqual(code, 0);
  assert.match(output, /all-in-one/);
});
