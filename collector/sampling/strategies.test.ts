import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { ProtoWriter } from '../../model/codec/otlp/proto_writer.ts';
import { strategyJson, strategyProto } from './answer.ts';
import { serviceNameOf } from './parameters.ts';
import { parseStrategies, StrategyError } from './strategies.ts';
import { StrategySource } from './strategy_source.ts';

const FILE = `{
  "default_strategy": {
    "type": "probabilistic", "param": 0.5,
    "operation_strategies": [
      {"operation": "/health", "type": "probabilistic", "param": 0.0},
      {"operation": "/metrics", "type": "probabilistic", "param": 0.0}
    ]
  },
  "service_strategies": [
    {"service": "foo", "type": "probabilistic", "param": 0.8,
     "operation_strategies": [
       {"operation": "op1", "type": "probabilistic", "param": 0.2},
       {"operation": "/health", "type": "probabilistic", "param": 1.0},
       {"operation": "op2", "type": "ratelimiting", "param": 2}
     ]},
    {"service": "bar", "type": "ratelimiting", "param": 5},
    {"service": "baz", "type": "probabilistic", "param": 0.1}
  ]
}`;

test('a service’s own operations come before the default’s, which every other one gets', () => {
  const { services, fallback, warnings } = parseStrategies(FILE, 0.001);
  assert.deepEqual(services.get('foo')?.perOperation, {
    defaultProbability: 0.8,
    lowerBoundPerSecond: 0,
    upperBoundPerSecond: 0,
    operations: [
      { operation: 'op1', probability: 0.2 },
      { operation: '/health', probability: 1 },
      { operation: '/metrics', probability: 0 },
    ],
  });
  assert.deepEqual(services.get('bar'), { type: 'ratelimiting', perSecond: 5 });
  assert.equal(services.get('baz')?.perOperation?.defaultProbability, 0.1);
  assert.deepEqual(
    services.get('baz')?.perOperation?.operations,
    fallback.perOperation?.operations,
  );
  assert.match(warnings[0] ?? '', /^line 14: an operation cannot be ratelimiting/);
});

test('a file that says nothing leaves Jaeger’s default', () => {
  for (const text of ['', '{}', 'service_strategies: []']) {
    const { fallback } = parseStrategies(text, 0.001);
    assert.deepEqual(fallback, { type: 'probabilistic', probability: 0.001 });
  }
});

const MISTAKES: readonly (readonly [string, RegExp])[] = [
  ['default_strategy:\n  type: sometimes', /^line 2: default_strategy.type: probabilistic or/],
  ['default_strategy:\n  type: probabilistic\n  param: 2', /^line 3: .*from 0 to 1 was expected/],
  ['default_strategy:\n  type: probabilistic', /^line 2: default_strategy.param: a number/],
  ['service_strategies:\n- type: ratelimiting\n  param: 1', /^line 2: .*service: a name/],
  ['service_strategies:\n  foo: 1', /^line 2: service_strategies: a list was expected/],
  ['defualt_strategy: {}', /^line 1: defualt_strategy: one of default_strategy, /],
  ['"a\\r\\u001bb": 1', /^line 1: a key of other characters: one of default_strategy, /],
  ['{"default_strategy": [', /^line 1: YAML or JSON was expected/],
  ['- 1', /^line 1: the file: an object/],
];

for (const [text, expected] of MISTAKES) {
  test(`a mistake names its line: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseStrategies(text, 0.001),
      (error) => error instanceof StrategyError && expected.test(error.message),
    );
  });
}

test('many aliases are refused before they multiply', () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++) {
    const [name, before] = ['abcdefghi'[i], 'abcdefghi'[i - 1]];
    lines.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`);
  }
  assert.throws(() => parseStrategies(lines.join('\n'), 0.001), StrategyError);
});

test('JSON has the names and the order that Jaeger has', () => {
  const { services } = parseStrategies(FILE, 0.001);
  const json = (service: string) => strategyJson(services.get(service) as never);
  assert.equal(
    json('bar'),
    '{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":5}}',
  );
  assert.equal(
    json('baz'),
    '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.1},' +
      '"operationSampling":{"defaultSamplingProbability":0.1,' +
      '"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[' +
      '{"operation":"/health","probabilisticSampling":{"samplingRate":0}},' +
      '{"operation":"/metrics","probabilisticSampling":{"samplingRate":0}}],' +
      '"defaultUpperBoundTracesPerSecond":0}}',
  );
});

test('protobuf says the same as JSON', () => {
  const root = new protobuf.Root();
  const file = new URL('../../proto/jaeger/api_v2/sampling.proto', import.meta.url);
  root.loadSync(file.pathname);
  const type = root.lookupType('jaeger.api_v2.SamplingStrategyResponse');
  for (const strategy of parseStrategies(FILE, 0.001).services.values()) {
    const ours = type.decode(strategyProto(strategy));
    const json = type.fromObject(JSON.parse(strategyJson(strategy)) as object);
    const [read, said] = [ours, json].map((one) => type.toObject(one, { defaults: true }));
    assert.deepEqual(read, said);
  }
});

test('the service’s name is read from the parameters, and bad ones are refused', () => {
  const out = new ProtoWriter(0);
  out.string(1, 'shop-java');
  assert.equal(serviceNameOf(out.finish()), 'shop-java');
  assert.equal(serviceNameOf(new Uint8Array(0)), '');
  assert.throws(() => serviceNameOf(Buffer.from('0aff', 'hex')), { name: 'RefusalError' });
});

function inFolder(use: (file: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'spanhouse-sampling-'));
    try {
      await use(join(folder, 'strategies.json'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

test(
  'a changed file is in force at the next look; a wrong one is told of once and changes nothing',
  inFolder(async (from) => {
    const notes: string[] = [];
    const note = (message: string) => void notes.push(message);
    writeFileSync(from, FILE);
    const options = { from, probability: 0.001, reloadMs: 3_600_000, note };
    const source = await StrategySource.open(options);
    notes.length = 0;
    writeFileSync(from, '{"default_strategy":\n {"type": "probabilistic", "param": 7}}');
    await source.reload();
    await source.reload();
    assert.equal(source.strategyOf('bar').type, 'ratelimiting');
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? '', /line 2: .*; the strategies that were in force stay$/);
    writeFileSync(from, '{"default_strategy": {"type": "ratelimiting", "param": 9}}');
    await source.reload();
    assert.deepEqual(source.strategyOf('bar'), { type: 'ratelimiting', perSecond: 9 });
    rmSync(from);
    await source.reload();
    assert.deepEqual(source.strategyOf('bar'), { type: 'ratelimiting', perSecond: 9 });
    source.stop();
  }),
);

test(
  'a file that is missing or wrong at the start is refused',
  inFolder(async (from) => {
    const options = { from, probability: 0.001, reloadMs: 1000, note: () => undefined };
    await assert.rejects(StrategySource.open(options), /cannot be read \(ENOENT\)/);
    writeFileSync(from, 'nonsense');
    await assert.rejects(StrategySource.open(options), /line 1: the file: an object/);
  }),
);

test('a URL may be away at the start, and is used once it answers', async () => {
  let status = 503;
  const server = createServer((_request, response) => {
    response.writeHead(status);
    response.end(FILE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const notes: string[] = [];
  const source = await StrategySource.open({
    from: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    probability: 0.25,
    reloadMs: 3_600_000,
    note: (message) => void notes.push(message),
  });
  assert.deepEqual(source.strategyOf('bar'), { type: 'probabilistic', probability: 0.25 });
  assert.match(notes[0] ?? '', /the URL answered 503/);
  status = 200;
  await source.reload();
  assert.equal(source.strategyOf('bar').type, 'ratelimiting');
  source.stop();
  server.closeAllConnections();
  server.close();
});
