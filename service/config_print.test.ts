import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from './config.ts';
import { printConfig } from './config_print.ts';

test('each value is printed with the place that it came from', () => {
  const printed = printConfig(loadConfig(['--retention=7d'], { SPANHOUSE_LOG_LEVEL: 'warn' }));
  assert.match(printed, /^retention: 7d +# --retention$/m);
  assert.match(printed, /^ {2}level: warn +# SPANHOUSE_LOG_LEVEL$/m);
  assert.match(printed, /^ {2}host: localhost +# default$/m);
});

test('a secret is never printed', () => {
  const printed = printConfig(loadConfig([], { SPANHOUSE_CLICKHOUSE_PASSWORD: 'hunter2' }));
  assert.doesNotMatch(printed, /hunter2/);
  assert.match(printed, /# password: \(redacted, from SPANHOUSE_CLICKHOUSE_PASSWORD\)/);
  assert.match(printed, /# query_password: \(not set\)/);
});

test('what is printed is a file that gives the same configuration', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'spanhouse-print-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'printed.yaml');
  const args = [
    '--listen-host=::',
    '--http-allowed-hosts=a.example,*.b.example',
    '--log-level=warn',
  ];
  const before = loadConfig(args, { HOME: '/home/a: #b' });
  writeFileSync(path, printConfig(before));
  assert.deepEqual(loadConfig(['--config', path], {}).config, before.config);
});
