import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FOREIGN_BYTES_MAX } from '../../model/codec/encoding.ts';
import { REQUEST_BYTES_MAX } from '../../model/limits.ts';
import type { LoggedRecord } from '../../storage/partition_log.ts';
import { sortRecord } from './sort_record.ts';

const OURS = { tenant: undefined };

function record(headers: Record<string, string>, more: Partial<LoggedRecord> = {}): LoggedRecord {
  return {
    offset: 0,
    timestampMs: 1,
    key: undefined,
    value: new Uint8Array(1),
    headers: Object.entries(headers).map(([key, value]) => ({ key, value: Buffer.from(value) })),
    ...more,
  };
}

describe('a record of the log', () => {
  it('belongs to the tenant in its headers, or to the default one', () => {
    const named = record({ 'spanhouse.tenant': 'shop', 'spanhouse.version': '1' });
    assert.deepEqual(sortRecord(named, OURS), { kind: 'spans', tenant: 'shop' });
    assert.deepEqual(sortRecord(record({}), OURS), { kind: 'spans', tenant: 'default' });
  });

  it('of a foreign topic has the tenant of that topic, and its headers are not believed', () => {
    const liar = record({ 'spanhouse.tenant': 'shop', 'spanhouse.version': '9' });
    assert.deepEqual(sortRecord(liar, { tenant: 'partner' }), { kind: 'spans', tenant: 'partner' });
  });

  it('of a newer version is neither stored nor dead', () => {
    const newer = record({ 'spanhouse.version': '2' });
    assert.deepEqual(sortRecord(newer, OURS), { kind: 'newer', version: 2 });
  });

  it('is dead when it is empty, absurdly large, of no time, or has headers of nobody', () => {
    const cases: [LoggedRecord, string][] = [
      [record({}, { value: undefined }), 'empty'],
      [record({}, { value: new Uint8Array(0) }), 'empty'],
      [record({}, { value: new Uint8Array(REQUEST_BYTES_MAX + 1) }), 'too_large'],
      [record({}, { timestampMs: -1 }), 'bad_time'],
      [record({}, { timestampMs: 9_300_000_000_000 }), 'bad_time'],
      [record({ 'spanhouse.version': 'one' }), 'bad_headers'],
      [record({ 'spanhouse.tenant': '' }), 'bad_headers'],
    ];
    for (const [one, reason] of cases) {
      assert.deepEqual(sortRecord(one, OURS), { kind: 'dead', reason });
    }
  });

  it('may be empty where tracers send empty ones, and shorter where it is translated', () => {
    const zipkin = { tenant: 'partner', encoding: 'zipkin_json' } as const;
    const empty = record({}, { value: new Uint8Array(0) });
    assert.deepEqual(sortRecord(empty, zipkin), { kind: 'spans', tenant: 'partner' });
    const tombstone = record({}, { value: undefined });
    assert.deepEqual(sortRecord(tombstone, zipkin), { kind: 'dead', reason: 'empty' });
    const jaeger = { tenant: 'partner', encoding: 'jaeger_proto' } as const;
    assert.deepEqual(sortRecord(empty, jaeger), { kind: 'dead', reason: 'empty' });
    const large = record({}, { value: new Uint8Array(FOREIGN_BYTES_MAX + 1) });
    assert.deepEqual(sortRecord(large, zipkin), { kind: 'dead', reason: 'too_large' });
  });
});
