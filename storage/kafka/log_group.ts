// Membership in the consumer group: which partitions are ours, and commits that are refused once
// they are not. Commits are raw, with the generation and member of the assignment: the client's own
// commit joins again behind our back and then moves offsets that are someone else's
// (docs/adr/0011).

import { setTimeout as sleep } from 'node:timers/promises';
import { Consumer, findErrorBy, offsetCommitV9, offsetFetchV9 } from '@platformatic/kafka';
import { type Committed, FencedError, type PartitionLog } from '../partition_log.ts';
import type { KafkaConnection } from './connection.ts';
import { LogClient, type TopicFacts } from './log_client.ts';
import { platformaticOptions } from './platformatic_driver.ts';

export interface LogGroupOptions {
  readonly connection: KafkaConnection;
  readonly topic: string;
  readonly group: string;
  /** A member that is silent for so long loses its partitions. */
  readonly sessionMs: number;
  /** A name that survives a restart, so that the same partitions come back at once; '' = none. */
  readonly instance: string;
  /** New partitions of ours, instead of all earlier ones: those are over. */
  readonly assigned: (logs: readonly PartitionLog[]) => void;
  /** Called before each join, e.g. to create the topic; what it throws is trouble. */
  readonly prepare: () => Promise<void>;
  /** Membership is in trouble and will be sought again; a sentence for the log. */
  readonly trouble: (message: string) => void;
}

/** Heartbeats a session: one or two may get lost. */
const HEARTBEATS = 4;

/** How often membership and the topic are looked at. */
const WATCH_MS = 2_000;
/** New partitions, or a topic created anew, are noticed within this. */
const TOPIC_WATCH_MS = 20_000;
/** Without a heartbeat for so many sessions the library has given up: begin anew. */
const SILENT_SESSIONS_MAX = 2;

const LEAVE_MS = 2_000;

/** The broker says so when a commit comes from an assignment that is over. */
const FENCES = [
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
  'FENCED_MEMBER_EPOCH',
  'STALE_MEMBER_EPOCH',
];

interface Member {
  readonly consumer: Consumer;
  readonly generation: number;
  readonly id: string;
}

export class LogGroup {
  readonly #options: LogGroupOptions;
  readonly #readers = new Map<number, LogClient>();
  readonly #watcher: LogClient;
  #consumer: Consumer | undefined;
  #facts: TopicFacts | undefined;
  #timer: NodeJS.Timeout | undefined;
  #aliveMs = 0;
  #topicSeenMs = 0;
  #stopped = false;
  #trouble = '';

  constructor(options: LogGroupOptions) {
    this.#options = options;
    this.#watcher = new LogClient(options.connection, options.topic);
  }

  /** True while heartbeats are answered. */
  get member(): boolean {
    return this.#consumer !== undefined && performance.now() - this.#aliveMs < this.#silentMs;
  }

  /** Joins as soon as brokers and topic are there, and again whenever membership is lost. */
  start(): void {
    void this.#watch();
  }

  /** Leaves, so that others take over at once. Loops on our logs must have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#leave();
    await Promise.all([...this.#readers.values()].map((reader) => reader.close()));
    await this.#watcher.close();
  }

  get #silentMs(): number {
    return this.#options.sessionMs * SILENT_SESSIONS_MAX;
  }

  async #watch(): Promise<void> {
    try {
      if (this.#consumer === undefined) await this.#join();
      else if (!this.member) {
        this.#tell('no heartbeat was answered for two sessions: joining anew');
        await this.#leave();
        await this.#join();
      } else await this.#watchTopic();
    } catch (error) {
      this.#tell(error instanceof Error ? error.message : String(error));
      await this.#leave();
    }
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#watch(), WATCH_MS);
  }

  /** Once for each trouble, not at each try. */
  #tell(message: string): void {
    if (message !== this.#trouble) this.#options.trouble(message);
    this.#trouble = message;
  }

  async #watchTopic(): Promise<void> {
    if (performance.now() - this.#topicSeenMs < TOPIC_WATCH_MS) return;
    this.#topicSeenMs = performance.now();
    const facts = await this.#watcher.facts();
    const before = this.#facts;
    if (before?.topicId === facts.topicId && before.partitions === facts.partitions) return;
    this.#tell('the topic has changed: joining anew');
    await this.#leave();
    await this.#join();
  }

  async #join(): Promise<void> {
    const { connection, topic, group, sessionMs, instance } = this.#options;
    await this.#options.prepare();
    this.#facts = await this.#watcher.facts();
    if (this.#stopped) return;
    const consumer = new Consumer({
      ...platformaticOptions(connection),
      groupId: group,
      autocommit: false,
      autocreateTopics: false,
      sessionTimeout: sessionMs,
      rebalanceTimeout: sessionMs,
      heartbeatInterval: Math.floor(sessionMs / HEARTBEATS),
      ...(instance === '' ? {} : { groupInstanceId: instance }),
    });
    this.#consumer = consumer;
    const alive = (): void => {
      this.#aliveMs = performance.now();
    };
    alive();
    this.#topicSeenMs = performance.now();
    consumer.on('consumer:heartbeat:end', alive);
    consumer.on('consumer:group:join', () => {
      alive();
      this.#assign(consumer);
    });
    // Reported by `trouble` when heartbeats stay away; an emitter without a listener would throw.
    (consumer as NodeJS.EventEmitter).on('error', () => undefined);
    consumer.topics.track(topic);
    await consumer.joinGroup({});
    this.#trouble = '';
  }

  #assign(consumer: Consumer): void {
    const { topic } = this.#options;
    const facts = this.#facts;
    if (consumer !== this.#consumer || facts === undefined || consumer.memberId === null) return;
    const mine = consumer.assignments?.find((one) => one.topic === topic)?.partitions ?? [];
    const member = { consumer, generation: consumer.generationId, id: consumer.memberId };
    this.#options.assigned(mine.map((partition) => this.#logFor(partition, facts, member)));
  }

  #logFor(partition: number, facts: TopicFacts, member: Member): PartitionLog {
    const { connection, topic } = this.#options;
    let reader = this.#readers.get(partition);
    if (reader === undefined) {
      reader = new LogClient(connection, topic);
      this.#readers.set(partition, reader);
    }
    const { clusterId, topicId } = facts;
    const own = reader;
    return {
      source: { clusterId, topic, topicId, partition },
      committed: () => this.#committed(member, partition),
      bounds: () => own.bounds(partition),
      fetch: (offset, bytesMax) => own.fetch(topicId, partition, offset, bytesMax),
      commit: (offset, metadata) => this.#commit(member, partition, offset, metadata),
    };
  }

  async #committed({ consumer }: Member, partition: number): Promise<Committed> {
    const { group, topic } = this.#options;
    const connection = await coordinator(consumer);
    const topics = [{ name: topic, partitionIndexes: [partition] }];
    const wanted = [{ groupId: group, memberId: null, memberEpoch: -1, topics }];
    const answer = await offsetFetchV9.api.async(connection, wanted, true);
    const found = answer.groups[0]?.topics[0]?.partitions[0];
    if (found === undefined) throw new Error(`no offset was told for partition ${partition}`);
    if (found.committedOffset < 0n) return { offset: undefined, metadata: '' };
    return { offset: Number(found.committedOffset), metadata: found.metadata ?? '' };
  }

  async #commit(
    { consumer, generation, id }: Member,
    partition: number,
    offset: number,
    metadata: string,
  ): Promise<void> {
    const { group, topic, instance } = this.#options;
    if (consumer !== this.#consumer) throw new FencedError('joined anew');
    const one = {
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: metadata,
    };
    try {
      const connection = await coordinator(consumer);
      const topics = [{ name: topic, partitions: [one] }];
      const name = instance === '' ? null : instance;
      await offsetCommitV9.api.async(connection, group, generation, id, name, topics);
    } catch (error) {
      const fence = FENCES.find((code) => findErrorBy(error as Error, 'apiId', code) !== null);
      if (fence !== undefined) throw new FencedError(fence);
      throw error;
    }
  }

  async #leave(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#options.assigned([]);
    // Leaving is a courtesy to the others: brokers that are gone must not hold us up.
    const closed = consumer?.close(true).catch(() => undefined);
    await Promise.race([closed, sleep(LEAVE_MS, undefined, { ref: false })]);
  }
}

async function coordinator(consumer: Consumer) {
  const id = await consumer.findGroupCoordinator();
  const connection = (await consumer.connectToBrokers([id])).get(id);
  if (connection === undefined) throw new Error('the coordinator of the group is not reached');
  return connection;
}
