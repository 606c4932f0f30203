import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadTranscoder } from '../../model/codec/otlp/transcoder.ts';
import type { LoggedRecord, LogSource } from '../../storage/partition_log.ts';
import { buildBlocks } from '../build_blocks.ts';
import { intentNote, type RowSettings, readNote } from './intent.ts';
import type { PartitionDeps } from './partition_consumer.ts';
import { prepare } from './prepare.ts';
import { PartitionRig } from './testing/partition_rig.ts';

const RANGE_MS = 2_000;
const SOURCE: LogSource = { clusterId: 'c', topic: 'zipkin', topicId: 'id', partition: 0 };
const ZIPKIN: RowSettings = { maxAgeSeconds: 3600, tenant: 'partner', encoding: 'zipkin_json' };
const LIES = [
  { key: 'spanhouse.version', value: Buffer.from('9') },
  { key: 'spanhouse.tenant', value: Buffer.from('other') },
];

function record(offset: number, text: string): LoggedRecord {
  const value = new Uint8Array(Buffer.from(text));
  return { offset, timestampMs: 1_795_416_050_000, key: undefined, value, headers: LIES };
}

describe('a topic that others write', () => {
  it('is not held by what a header says', async () => {
    const rig = new PartitionRig();
    rig.append('1', LIES);
    const { consumer } = rig.start({ settings: { maxAgeSeconds: 1, tenant: 'partner' } });
    await rig.pass(2 * RANGE_MS);
    assert.deepEqual([...rig.store.stored.keys()], [1]);
    assert.equal(consumer.held, undefined);
  });

  it('has a range that was begun finished in its encoding, whatever the setting is by then', async () => {
    const rig = new PartitionRig();
    const seen: (string | undefined)[] = [];
    const change = (deps: PartitionDeps): PartitionDeps => ({
      ...deps,
      build: (records, settings) => {
        seen.push(settings.encoding);
        return deps.build(records, settings);
      },
    });
    rig.append('1');
    rig.start({ settings: ZIPKIN, change });
    while (rig.store.rows === 0) await rig.pass(1);
    rig.process.kill();
    rig.start({ settings: { ...ZIPKIN, encoding: 'zipkin_proto' }, change });
    await rig.pass(RANGE_MS);
    rig.append('2');
    await rig.pass(5 * RANGE_MS);
    assert.deepEqual(seen, ['zipkin_json', 'zipkin_json', 'zipkin_proto']);
  });

  it('has its encoding in the intent, and an unknown one is not guessed at', () => {
    const intent = { first: 3, last: 7, settings: ZIPKIN };
    const note = intentNote(SOURCE, intent);
    assert.deepEqual(readNote(note), { kind: 'intent', topicId: 'id', intent });
    assert.equal(readNote(note.replace('zipkin_json', 'toString')).kind, 'unreadable');
    assert.equal(readNote(note.replace('"zipkin_json"', '7')).kind, 'unreadable');
  });

  it('has what cannot be decoded buried with its encoding, and its neighbours stored', async () => {
    const transcoder = await loadTranscoder();
    const span = '{"traceId":"a","id":"b","localEndpoint":{"serviceName":"s"}}';
    const records = [record(0, `[${span}]`), record(1, 'poison'), record(2, ''), record(3, '[]')];
    const range = { intent: { first: 0, last: 3, settings: ZIPKIN }, records, lost: 0 };
    const prepared = () =>
      prepare(
        SOURCE,
        range,
        async (some, { encoding = 'otlp_proto', maxAgeSeconds }) =>
          buildBlocks(transcoder, some, encoding, maxAgeSeconds),
        () => {},
      );
    const { blocks, deadLetters, row } = await prepared();
    assert.deepEqual(
      deadLetters.map((letter) => [letter.record.offset, letter.reason, letter.encoding]),
      [[1, 'malformed', 'zipkin_json']],
    );
    assert.equal(row.spans, 1);
    assert.equal(row.records, 4);
    assert.ok(Buffer.from(blocks[0]?.native ?? []).includes('partner'));
    assert.deepEqual((await prepared()).blocks, blocks, 'the same records make the same blocks');
  });
});
