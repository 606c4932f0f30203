import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  address,
  addressOrOff,
  choice,
  count,
  days,
  duration,
  list,
  size,
  text,
  url,
} from './config_values.ts';

test('durations carry their unit and become milliseconds', () => {
  const kind = duration('1ms', '3650d');
  assert.equal(kind.parse('500ms'), 500);
  assert.equal(kind.parse('30d'), 30 * 86_400_000);
  assert.equal(kind.parse('1.5h'), 5_400_000);
  for (const wrong of ['30', 30, '', 'd', '-1s', '1w', '1 000s', '0ms', '4000d', null, ['1s']]) {
    assert.equal(kind.parse(wrong), undefined, String(wrong));
  }
});

test('days are whole, whatever unit they are written in', () => {
  const kind = days('1d', '3650d');
  assert.equal(kind.parse('30d'), 30 * 86_400_000);
  assert.equal(kind.parse('48h'), 2 * 86_400_000);
  for (const wrong of ['36h', '0d', '1.5d', '3651d']) assert.equal(kind.parse(wrong), undefined);
});

test('sizes carry their unit and become bytes', () => {
  const kind = size('1B', '1TiB');
  assert.equal(kind.parse('64MiB'), 64 * 1024 * 1024);
  assert.equal(kind.parse('512 KiB'), 512 * 1024);
  for (const wrong of ['64', '64MB', '2TiB', 'constructor', '1constructor', {}]) {
    assert.equal(kind.parse(wrong), undefined, String(wrong));
  }
});

test('a listener that not everyone needs may be off', () => {
  for (const off of ['off', false]) assert.equal(addressOrOff.parse(off), 'off');
  assert.deepEqual(addressOrOff.parse('9411'), { host: undefined, port: 9411 });
  for (const wrong of ['', 'on', true, '70000']) {
    assert.equal(addressOrOff.parse(wrong), undefined, String(wrong));
  }
});

test('an address is a port, or a host and a port', () => {
  assert.deepEqual(address.parse(4317), { host: undefined, port: 4317 });
  assert.deepEqual(address.parse('0.0.0.0:4317'), { host: '0.0.0.0', port: 4317 });
  assert.deepEqual(address.parse('[::]:0'), { host: '::', port: 0 });
  for (const wrong of ['65536', 'host', 'host:', ':1', '::1', 'a b:1', 1.5, -1, true, '']) {
    assert.equal(address.parse(wrong), undefined, String(wrong));
  }
});

test('a number is whole and within its bounds', () => {
  const kind = count(1, 100);
  assert.equal(kind.parse('100'), 100);
  assert.equal(kind.parse(1), 1);
  for (const wrong of [0, 101, '1e2', '0x10', ' 5', 1.5])
    assert.equal(kind.parse(wrong), undefined);
});

test('a choice is one of its words, exactly', () => {
  const kind = choice('auto', 'json');
  assert.equal(kind.parse('json'), 'json');
  assert.equal(kind.parse('JSON'), undefined);
});

test('a URL has a scheme that we speak and carries no password', () => {
  assert.equal(url.parse('https://ch.example:8443'), 'https://ch.example:8443');
  assert.equal(url.parse(''), '');
  for (const wrong of ['ch.example:8123', 'tcp://x:1', 'http://user:pw@x', 'http://', 5]) {
    assert.equal(url.parse(wrong), undefined, String(wrong));
  }
});

test('a list is comma-separated text or a YAML list, empty parts left out', () => {
  const kind = list('names', /^[a-z.]+$/);
  assert.deepEqual(kind.parse('a.b, c'), ['a.b', 'c']);
  assert.deepEqual(kind.parse(['a', 'b']), ['a', 'b']);
  assert.deepEqual(kind.parse(''), []);
  assert.equal(kind.parse('A'), undefined);
  assert.equal(kind.parse({ a: 1 }), undefined);
  assert.equal(kind.parse(Array.from({ length: 101 }, () => 'a')), undefined);
});

test('text holds no control characters and has a bound', () => {
  const kind = text('text');
  assert.equal(kind.parse('grüße'), 'grüße');
  assert.equal(kind.parse('a\nb'), undefined);
  assert.equal(kind.parse('x'.repeat(5000)), undefined);
});
