// Faults that the simulation must find: each takes one guard out of the scheme. A simulation that
// does not notice would prove nothing.

import type { Block } from '../../../storage/span_store.ts';
import type { PartitionDeps } from '../partition_consumer.ts';
import type { SimBroker, SimPartition } from './sim_broker.ts';
import { buildBlocks } from './sim_store.ts';
import type { SimProcess, World } from './world.ts';

export const CANARIES = [
  /** Every insert under a token of its own. */
  'no_token',
  /** The offset behind a range is committed before its insert. */
  'commit_first',
  /** Nothing is committed beside the offset: a replay cuts its range anew. */
  'no_intent',
  /** A replay takes one record more than the intent says. */
  'regrown',
  /** A replay is done by the settings of whoever replays. */
  'own_settings',
  /** Commits go through whoever sends them, as a client's high-level commit lets them. */
  'unfenced',
  /** Where blocks are cut depends on more than the records. */
  'other_cut',
  /** Dead letters are on their way when the offset is committed. */
  'letters_unacknowledged',
  /** The ledger row is not waited for. */
  'ledger_unacknowledged',
] as const;

/** `token_of_offsets`: a token that says no more than partition and offsets; needs two topics. */
export type Canary = (typeof CANARIES)[number] | 'token_of_offsets';

interface Own {
  readonly broker: SimBroker;
  readonly partition: SimPartition;
  readonly process: SimProcess;
  readonly world: World;
}

export function withCanary(
  deps: PartitionDeps,
  own: Own,
  canary: Canary | undefined,
): PartitionDeps {
  const { log, store, deadLetters, ranges } = deps;
  const { world, process } = own;
  switch (canary) {
    case undefined:
      return deps;
    case 'no_token': {
      const fresh = (): string => `${world.nowMs}:${world.random()}`;
      return { ...deps, store: { insert: (block) => store.insert({ ...block, token: fresh() }) } };
    }
    case 'token_of_offsets': {
      // cluster : topic : partition : offsets : hash : number
      const shorter = (token: string): string => {
        const [, , partition, offsets, , number] = token.split(':');
        return `${partition}:${offsets}:${number}`;
      };
      const insert = (block: Block): Promise<void> =>
        store.insert({ ...block, token: shorter(block.token) });
      return { ...deps, store: { insert } };
    }
    case 'commit_first': {
      const early = (offset: number, metadata: string): Promise<void> => {
        const { b } = JSON.parse(metadata) as { b?: number };
        if (b === undefined) return log.commit(offset, metadata);
        return log.commit(b + 1, JSON.stringify({ v: 1, id: log.source.topicId }));
      };
      return { ...deps, log: { ...log, commit: early } };
    }
    case 'no_intent':
      return { ...deps, log: { ...log, commit: (offset) => log.commit(offset, '') } };
    case 'regrown': {
      const regrow = async () => {
        const { offset, metadata } = await log.committed();
        const note = metadata === '' ? {} : (JSON.parse(metadata) as { b?: number });
        const end = own.partition.records.length;
        if (note.b === undefined || note.b + 1 >= end) return { offset, metadata };
        return { offset, metadata: JSON.stringify({ ...note, b: note.b + 1 }) };
      };
      return { ...deps, log: { ...log, committed: regrow } };
    }
    case 'own_settings': {
      const committed = async () => {
        const { offset, metadata } = await log.committed();
        const note = metadata === '' ? {} : (JSON.parse(metadata) as { age?: number });
        if (note.age === undefined) return { offset, metadata };
        const age = deps.settings.maxAgeSeconds;
        return { offset, metadata: JSON.stringify({ ...note, age }) };
      };
      return { ...deps, log: { ...log, committed } };
    }
    case 'unfenced': {
      const commit = (offset: number, metadata: string): Promise<void> =>
        process.call(
          () => {
            own.partition.committed = { offset, metadata };
          },
          { rate: own.broker.faultRate },
        );
      return { ...deps, log: { ...log, commit } };
    }
    case 'other_cut':
      return {
        ...deps,
        build: (records) =>
          process.call(() => buildBlocks(records, world.between(2, 6)), { rate: 0 }),
      };
    case 'letters_unacknowledged': {
      const publish = async (letters: Parameters<typeof deadLetters.publish>[0]): Promise<void> => {
        deadLetters.publish(letters).catch(() => undefined);
      };
      return { ...deps, deadLetters: { publish } };
    }
    case 'ledger_unacknowledged': {
      const insert = async (row: Parameters<typeof ranges.insert>[0]): Promise<void> => {
        ranges.insert(row).catch(() => undefined);
      };
      return { ...deps, ranges: { insert } };
    }
  }
}
