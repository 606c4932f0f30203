import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostAllowed, hostName, isSimpleContentType } from './host_check.ts';

test('a Host header is split into its name and port', () => {
  assert.equal(hostName('localhost:4318'), 'localhost');
  assert.equal(hostName('LocalHost'), 'localhost');
  assert.equal(hostName('localhost.'), 'localhost');
  assert.equal(hostName('[::1]:16686'), '[::1]');
});

test('a header that is no host has no name', () => {
  for (const header of ['', ' ', '::1', 'a b', 'localhost:', 'localhost:123456', 'x'.repeat(300)]) {
    assert.equal(hostName(header), '', header);
  }
});

test('loopback names are allowed, with or without a port', () => {
  for (const host of ['localhost', 'app.localhost:80', '127.0.0.1', '127.9.9.9:1', '[::1]:4318']) {
    assert.equal(hostAllowed(host, []), true, host);
  }
});

test('names that only look like loopback are refused', () => {
  const foreign = [
    'localhost.evil.example',
    'evillocalhost',
    '127.0.0.1.evil.example',
    '1127.0.0.1',
    '[::2]',
    '0.0.0.0',
  ];
  for (const host of foreign) assert.equal(hostAllowed(host, []), false, host);
});

test('a configured name is allowed exactly, a starred one with all names below it', () => {
  const allowed = ['Traces.example.org', '*.internal.example'];
  assert.equal(hostAllowed('traces.example.org:443', allowed), true);
  assert.equal(hostAllowed('x.traces.example.org', allowed), false);
  assert.equal(hostAllowed('a.internal.example', allowed), true);
  assert.equal(hostAllowed('internal.example', allowed), false);
  assert.equal(hostAllowed('ainternal.example', allowed), false);
});

test('a request without a Host header is not from a browser and is allowed', () => {
  assert.equal(hostAllowed(undefined, []), true);
});

test('simple content types are known whatever their case and parameters', () => {
  assert.equal(isSimpleContentType('TEXT/plain;charset=UTF-8'), true);
  assert.equal(isSimpleContentType('application/x-www-form-urlencoded'), true);
  assert.equal(isSimpleContentType('application/x-protobuf'), false);
  assert.equal(isSimpleContentType(undefined), false);
});
