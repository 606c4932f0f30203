import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, type LogFormat, type LogLevel } from './log.ts';

function capture(
  level: LogLevel,
  format: LogFormat,
): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = [];
  return { lines, log: createLog({ level, format }, { write: (line) => lines.push(line) }) };
}

test('a JSON line has level, time, message and its fields', () => {
  const { lines, log } = capture('info', 'json');
  log.info('listening', { port: 4318 });
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.equal(line['level'], 'info');
  assert.equal(line['message'], 'listening');
  assert.equal(line['port'], 4318);
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(Object.keys(line).sort(), ['level', 'message', 'port', 'time']);
});

test('what is below the level is not written', () => {
  const { lines, log } = capture('warn', 'json');
  log.info('no');
  log.warn('yes');
  assert.equal(lines.length, 1);
});

test('an error is written with its message and stack', () => {
  const { lines, log } = capture('info', 'json');
  log.error('insert failed', { error: new TypeError('no such column') });
  const { error } = JSON.parse(lines[0] ?? '') as { error: Record<string, string> };
  assert.equal(error['type'], 'TypeError');
  assert.equal(error['message'], 'no such column');
  assert.match(error['stack'] ?? '', /log\.test/);
});

test('a child carries its fields on every line', () => {
  const { lines, log } = capture('info', 'json');
  log.child({ part: 'ingester' }).info('a');
  assert.equal((JSON.parse(lines[0] ?? '') as Record<string, unknown>)['part'], 'ingester');
});

test('text is one readable line with the message and its fields', () => {
  const { lines, log } = capture('info', 'text');
  log.info('listening', { port: 4318 });
  assert.match(lines[0] ?? '', /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: listening \{"port":4318\}\n$/);
});

test('a line break in a field cannot forge a second line', () => {
  for (const format of ['json', 'text'] as const) {
    const { lines, log } = capture('info', format);
    log.info('name', { value: 'a\nINFO: forged' });
    assert.equal((lines[0] ?? '').trimEnd().split('\n').length, 1, format);
  }
});
