// A broker for the simulation: partitions, committed offsets with metadata, and a group whose
// coordinator checks member and generation of a commit, and nothing else, as Kafka's does.

import {
  type Committed,
  FencedError,
  type Fetched,
  type LoggedRecord,
  type LogSource,
  OffsetGoneError,
  type PartitionLog,
  type RecordHeader,
} from '../../../storage/partition_log.ts';
import type { SimProcess } from './world.ts';

const FETCH_WAIT_MS = 400;
const FETCH_RECORDS_MAX = 7;

export interface SimPartition {
  readonly source: LogSource;
  readonly records: LoggedRecord[];
  startOffset: number;
  committed: Committed;
}

export class SimBroker {
  readonly partitions: readonly SimPartition[];
  generation = 0;
  /** Members of the current generation. */
  members: readonly SimProcess[] = [];
  faultRate = 0;

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, (_, partition) => ({
      source: { clusterId: 'c', topic: 't', topicId: 'id', partition },
      records: [],
      startOffset: 0,
      committed: { offset: undefined, metadata: '' },
    }));
  }

  append(
    partition: SimPartition,
    value: string,
    timestampMs: number,
    headers: readonly RecordHeader[] = [],
  ): number {
    const offset = partition.records.length;
    const bytes = new Uint8Array(Buffer.from(value));
    partition.records.push({ offset, timestampMs, key: undefined, value: bytes, headers });
    return offset;
  }

  /** What a member of this generation sees of a partition. */
  logFor(partition: SimPartition, process: SimProcess, generation: number): PartitionLog {
    const call = <T>(effect: () => T): Promise<T> => process.call(effect, { rate: this.faultRate });
    return {
      source: partition.source,
      committed: () => call(() => partition.committed),
      bounds: () => call(() => boundsOf(partition)),
      fetch: (offset) => this.#fetch(partition, offset, process, call),
      commit: (offset, metadata) =>
        call(() => {
          const member = this.members.includes(process);
          if (!member || generation !== this.generation) throw new FencedError('generation');
          partition.committed = { offset, metadata };
        }),
    };
  }

  async #fetch(
    partition: SimPartition,
    offset: number,
    process: SimProcess,
    call: <T>(effect: () => T) => Promise<T>,
  ): Promise<Fetched> {
    const answer = await call(() => read(partition, offset));
    if (answer.records.length === 0) await process.clock.sleep(FETCH_WAIT_MS);
    return answer;
  }
}

function boundsOf(partition: SimPartition) {
  return { startOffset: partition.startOffset, endOffset: partition.records.length };
}

function read(partition: SimPartition, offset: number): Fetched {
  const endOffset = partition.records.length;
  if (offset < partition.startOffset || offset > endOffset) throw new OffsetGoneError(offset);
  const records = partition.records.slice(offset, offset + FETCH_RECORDS_MAX);
  return { records, nextOffset: offset + records.length, endOffset };
}
