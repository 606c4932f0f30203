import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError, loadConfig } from './config.ts';
import { listenAddress, SETTINGS } from './config_schema.ts';

function file(t: TestContext, yaml: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'spanhouse-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'a.yaml');
  writeFileSync(path, yaml);
  return path;
}

function problemsOf(args: readonly string[], env: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    loadConfig(args, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

test('every default passes its own rules', () => {
  const { config } = loadConfig([], { HOME: '/home/a' });
  assert.equal(config.retention, 30 * 86_400_000);
  assert.equal(config.memory.limit, 512 * 1024 * 1024);
  assert.deepEqual(config.http.cors_origins, []);
});

test('CORS for everyone cannot be asked for: origins are named', () => {
  const [problem, ...more] = problemsOf(['--http-cors-origins', '*']);
  assert.match(problem ?? '', /cors_origins.*origins, such as https:.*\*/);
  assert.equal(more.length, 0);
});

test('a flag wins over the environment, that over the file, that over the default', (t) => {
  const path = file(t, 'log: { level: error, format: json }\nretention: 7d\n');
  const env = { SPANHOUSE_LOG_LEVEL: 'warn', SPANHOUSE_LOG_FORMAT: 'text' };
  const { config, chosen } = loadConfig(['--config', path, '--log-level=debug'], env);
  assert.equal(config.log.level, 'debug');
  assert.equal(config.log.format, 'text');
  assert.equal(config.retention, 7 * 86_400_000);
  assert.equal(chosen.get('log.level')?.from, '--log-level');
  assert.equal(chosen.get('log.format')?.from, 'SPANHOUSE_LOG_FORMAT');
  assert.equal(chosen.get('retention')?.from, path);
  assert.equal(chosen.get('shutdown.grace')?.from, 'default');
});

test('the file can be named by the environment', (t) => {
  const { config } = loadConfig([], { SPANHOUSE_CONFIG: file(t, 'retention: 2d') });
  assert.equal(config.retention, 2 * 86_400_000);
});

test('all problems are listed at once, each with its setting, what was expected, what came', (t) => {
  const path = file(t, 'listen:\n  querry: 1\n  health: nope\nlimits: 5\n');
  const problems = problemsOf(['--config', path, '--retention', '30'], {
    SPANHOUSE_LISTEN_QUERY: '99999',
    SPANHOUSE_LOG_LEVLE: 'info',
  });
  const expected = [
    /^SPANHOUSE_LOG_LEVLE is no setting of ours, did you mean SPANHOUSE_LOG_LEVEL\?$/,
    /^listen\.querry in .*a\.yaml is no setting, did you mean listen\.query\?$/,
    /^limits in .*a\.yaml: a section was expected, not a value$/,
    /^listen\.query: a port .* was expected, "99999" came \(from SPANHOUSE_LISTEN_QUERY\)$/,
    /^listen\.health: a port .* was expected, "nope" came \(from .*a\.yaml\)$/,
    /^retention: a whole number of days .* was expected, "30" came \(from --retention\)$/,
  ];
  assert.equal(problems.length, expected.length, problems.join('\n'));
  for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? '', pattern);
});

test('an unknown flag, a missing value and a doubled flag are each said plainly', () => {
  const problems = problemsOf(['--log-levle', 'info', '--log-format', '--retention', 'stray']);
  assert.deepEqual(problems, [
    '--log-levle is no flag, did you mean --log-level?',
    '--log-format needs a value',
    '"stray" is not expected here: settings are --name value',
  ]);
  assert.match(problemsOf(['--retention=1d', '--retention=2d'])[0] ?? '', /given twice/);
});

test('a secret is refused as a flag, and never shown when it is wrong', () => {
  const [asFlag] = problemsOf(['--clickhouse-password=hunter2']);
  assert.match(asFlag ?? '', /use SPANHOUSE_CLICKHOUSE_PASSWORD$/);
  const [wrong] = problemsOf([], { SPANHOUSE_CLICKHOUSE_PASSWORD: 'hunter2\n' });
  assert.match(wrong ?? '', /^clickhouse\.password: .* was expected/);
  assert.doesNotMatch(`${asFlag}${wrong}`, /hunter2/);
});

test('a file that is missing, no YAML or no mapping is one sentence', (t) => {
  assert.match(problemsOf(['--config', '/nowhere/a.yaml'])[0] ?? '', /cannot be read/);
  assert.match(problemsOf(['--config', file(t, 'a: [1')])[0] ?? '', /is no YAML/);
  assert.match(problemsOf(['--config', file(t, '- a')])[0] ?? '', /sections of settings/);
  assert.match(problemsOf(['--config', file(t, 'a: 1\na: 2')])[0] ?? '', /is no YAML/);
  assert.deepEqual(problemsOf(['--config', file(t, '')]), []);
  assert.deepEqual(problemsOf(['--config', file(t, 'listen:\nretention:\n')]), []);
});

test('keys that mean something to JavaScript are unknown settings like any other', (t) => {
  const path = file(t, '__proto__: { a: 1 }\nconstructor: 1\ntoString: 1\n');
  assert.equal(problemsOf(['--config', path]).length, 3);
});

test('an empty variable counts as not set', () => {
  const { chosen } = loadConfig([], { SPANHOUSE_LOG_LEVEL: '' });
  assert.equal(chosen.get('log.level')?.from, 'default');
});

test('variables that Kubernetes sets for a Service named spanhouse are not ours', () => {
  const env = {
    SPANHOUSE_SERVICE_HOST: '10.0.0.1',
    SPANHOUSE_SERVICE_PORT_GRPC: '4317',
    SPANHOUSE_PORT: 'tcp://10.0.0.1:4317',
    SPANHOUSE_QUERY_PORT_16686_TCP_ADDR: '10.0.0.1',
  };
  assert.deepEqual(problemsOf([], env), []);
});

test('no two settings share a flag or a variable, and none looks like one of Kubernetes', () => {
  const flags = SETTINGS.flatMap((setting) => setting.flag ?? []);
  const variables = SETTINGS.map((setting) => setting.env);
  assert.equal(new Set(flags).size, flags.length);
  assert.equal(new Set(variables).size, variables.length);
  for (const name of variables) assert.doesNotMatch(name, /_PORT$|_SERVICE_HOST$/);
});

test('a port without a host is opened on listen.host', () => {
  const { config } = loadConfig(['--listen-host', '0.0.0.0', '--listen-query', '[::1]:80'], {});
  assert.deepEqual(listenAddress(config, 'health'), {
    host: '0.0.0.0',
    port: 13133,
    setting: 'listen.health',
  });
  assert.equal(listenAddress(config, 'query').host, '::1');
});

test('data goes to the data home of the user', () => {
  const directory = (env: NodeJS.ProcessEnv): string =>
    loadConfig([], env).config.storage.directory;
  assert.equal(directory({ XDG_DATA_HOME: '/data' }), '/data/spanhouse');
  assert.match(
    directory({ HOME: '/home/a', XDG_DATA_HOME: 'relative' }),
    /^\/home\/a\/.*spanhouse$/,
  );
});
