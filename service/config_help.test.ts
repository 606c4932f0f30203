import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configurationPage, flagsHelp } from './config_help.ts';
import { SETTINGS } from './config_schema.ts';

test('docs/CONFIGURATION.md is what the schema says (npm run docs writes it)', () => {
  const page = readFileSync(new URL('../docs/CONFIGURATION.md', import.meta.url), 'utf8');
  assert.equal(page, configurationPage());
});

test('the page has a row for each setting', () => {
  const page = configurationPage();
  for (const { name } of SETTINGS) assert.ok(page.includes(`| \`${name}\``), name);
});

test('help lists the settings that were asked for, whole sections and single ones', () => {
  const help = flagsHelp(['log', 'listen.query']);
  assert.match(help, /--log-level debug\|info\|warn\|error/);
  assert.match(help, /--listen-query \[host:\]port/);
  assert.doesNotMatch(help, /--listen-otlp-grpc/);
});

test('help lists all settings when none is named', () => {
  for (const { flag } of SETTINGS) {
    if (flag !== undefined) assert.ok(flagsHelp([]).includes(`  --${flag} `), flag);
  }
});

test('help offers no flag for a secret, but its variable', () => {
  const help = flagsHelp(['clickhouse']);
  assert.match(help, /SPANHOUSE_CLICKHOUSE_PASSWORD \(no flag/);
  assert.doesNotMatch(help, /--clickhouse-password/);
});

test('help stays within 92 columns', () => {
  for (const line of flagsHelp([]).split('\n')) assert.ok(line.length <= 92, line);
});
