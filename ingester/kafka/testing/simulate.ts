// One seeded run: collectors publish numbered spans, ingesters consume them while they are killed,
// stopped past their session, shuffled, and while answers get lost. Then all heals, and the spans,
// the dead letters and the ledger are counted.

import type { LogRecord } from '../../../storage/span_log.ts';
import { HeldBytes } from '../held_bytes.ts';
import type { RowSettings } from '../intent.ts';
import { PartitionConsumer, type PartitionDeps } from '../partition_consumer.ts';
import { type Canary, withCanary } from './canary.ts';
import { silentConsume, silentInserts } from './silent_ledgers.ts';
import { SimBroker } from './sim_broker.ts';
import { buildBlocks, POISON, SimStore } from './sim_store.ts';
import { SimProcess, World } from './world.ts';

const FAULTS_UNTIL_MS = 9_000;
const END_MS = 240_000;
const SESSION_MS = 1_500;
const FAULT_EVERY_MS = 700;
/** Crashes just after a call has had its effect and before its answer is there, beside the others. */
const CRASH_RATE = 0.01;
const LIMIT_BYTES = 1_000_000;

export interface Outcome {
  /** Empty: every promise was kept. */
  readonly broken: readonly string[];
  readonly replays: number;
  readonly crashes: number;
}

interface Member {
  readonly process: SimProcess;
  /** Not every process was started with the same settings: one was changed between two releases. */
  readonly maxAgeSeconds: number;
  stop: AbortController;
}

/** Written by others, whose headers would hold or misplace a record of ours. */
const FOREIGN_PARTITION = 1;
const FOREIGN = { tenant: 'partner', encoding: 'zipkin_json' } as const;
const LIES = [
  { key: 'spanhouse.version', value: Buffer.from('9') },
  { key: 'spanhouse.tenant', value: Buffer.from('?') },
];

/** What is before the spans of a record in the other encoding. */
const FOREIGN_MARK = '[';

function settingsFor({ source }: SimBroker['partitions'][number], maxAgeSeconds: number) {
  const isForeign = source.partition === FOREIGN_PARTITION;
  return { maxAgeSeconds, ...(isForeign ? FOREIGN : { tenant: undefined }) };
}

/** Every setting shows in the rows: what is decoded, for whom, and where blocks are cut. */
function build(records: readonly LogRecord[], settings: RowSettings) {
  const translated = records.map((record) => {
    const text = Buffer.from(record.bytes).toString();
    const isForeign = record.tenant === FOREIGN.tenant && settings.encoding === FOREIGN.encoding;
    const isMarked = text.startsWith(FOREIGN_MARK);
    return isMarked && isForeign ? { ...record, bytes: Buffer.from(text.slice(1)) } : record;
  });
  return buildBlocks(translated, 4 + settings.maxAgeSeconds);
}

export async function simulate(seed: number, canary?: Canary): Promise<Outcome> {
  const run = new Run(seed, canary);
  return run.play();
}

class Run {
  readonly #world: World;
  readonly #broker: SimBroker;
  readonly #store = new SimStore();
  readonly #canary: Canary | undefined;
  readonly #partOf = new Map<number, { partition: number; offset: number }>();
  readonly #poison: string[] = [];
  readonly #bugs: string[] = [];
  #members: Member[] = [];
  #nextSpan = 0;
  #replays = 0;
  #crashes = 0;
  #healed = false;
  #published = false;

  constructor(seed: number, canary: Canary | undefined) {
    this.#world = new World(seed);
    this.#canary = canary;
    this.#broker = new SimBroker(this.#world.between(1, 2));
    const rate = this.#world.between(0, 2) * 0.04;
    this.#broker.faultRate = rate;
    this.#store.faultRate = rate;
  }

  async play(): Promise<Outcome> {
    const world = this.#world;
    for (let i = world.between(1, 2); i > 0; i--) this.#start();
    this.#rebalance();
    this.#publishSome(world.between(8, 30));
    world.later(FAULT_EVERY_MS, () => this.#fault());
    world.later(FAULTS_UNTIL_MS, () => this.#heal());
    await world.run(END_MS, () => this.#healed && this.#published && this.#idle());
    for (const { process, stop } of this.#members) {
      process.kill();
      stop.abort();
    }
    return { broken: this.#broken(), replays: this.#replays, crashes: this.#crashes };
  }

  #publishSome(left: number): void {
    const world = this.#world;
    const partition = this.#broker.partitions[world.between(0, this.#broker.partitions.length - 1)];
    if (left === 0 || partition === undefined) {
      this.#published = true;
      return;
    }
    if (world.chance(0.08)) {
      const offset = this.#broker.append(partition, POISON, world.nowMs);
      this.#poison.push(`t:${partition.source.partition}:${offset}`);
    } else {
      const spans = Array.from({ length: world.between(1, 4) }, () => this.#nextSpan++);
      const isForeign = partition.source.partition === FOREIGN_PARTITION;
      const offset = this.#broker.append(
        partition,
        `${isForeign ? FOREIGN_MARK : ''}${spans.join(',')}`,
        world.nowMs,
        isForeign ? LIES : [],
      );
      for (const span of spans) {
        this.#partOf.set(span, { partition: partition.source.partition, offset });
      }
    }
    world.later(world.between(0, 550), () => this.#publishSome(left - 1));
  }

  #start(): void {
    const process = new SimProcess(this.#world);
    const maxAgeSeconds = 1 + (this.#members.length % 2);
    const member = { process, maxAgeSeconds, stop: new AbortController() };
    process.atCall = () => {
      if (!this.#healed && process.running && this.#world.chance(CRASH_RATE)) this.#kill(member);
    };
    this.#members.push(member);
  }

  /** A new generation of those that answer; each learns of it a little later. */
  #rebalance(): void {
    const members = this.#members.filter(({ process }) => process.running);
    this.#broker.generation++;
    this.#broker.members = members.map(({ process }) => process);
    const generation = this.#broker.generation;
    members.forEach((member, i) => {
      const mine = this.#broker.partitions.filter((_, p) => p % members.length === i);
      const delayMs = this.#world.between(0, 200);
      this.#world.later(delayMs, () => {
        member.process.deliver(() => this.#assign(member, mine, generation));
      });
    });
  }

  #assign(member: Member, partitions: SimBroker['partitions'], generation: number): void {
    if (generation < this.#broker.generation) return;
    member.stop.abort();
    member.stop = new AbortController();
    const { process } = member;
    for (const partition of partitions) {
      const log = this.#broker.logFor(partition, process, generation);
      const deps: PartitionDeps = {
        log,
        store: this.#store.spansFor(process),
        ranges: this.#store.rangesFor(process),
        deadLetters: this.#store.lettersFor(process),
        build: (records, settings) => process.call(() => build(records, settings), { rate: 0 }),
        buckets: () => undefined,
        clock: process.clock,
        random: this.#world.random,
        held: new HeldBytes(LIMIT_BYTES),
        settings: settingsFor(partition, member.maxAgeSeconds),
        ledger: { ...silentConsume, replayed: () => this.#replays++ },
        inserts: silentInserts,
      };
      const own = { broker: this.#broker, partition, process, world: this.#world };
      const consumer = new PartitionConsumer(
        withCanary(deps, own, this.#canary),
        member.stop.signal,
      );
      consumer.run().catch((error: unknown) => this.#bugs.push(String(error)));
    }
  }

  #fault(): void {
    if (this.#healed) return;
    const world = this.#world;
    const live = this.#members.filter(({ process }) => process.running);
    const victim = live[world.between(0, live.length - 1)];
    if (victim !== undefined && world.chance(0.45)) this.#kill(victim);
    else if (victim !== undefined && world.chance(0.4)) this.#pause(victim);
    else if (world.chance(0.3)) {
      this.#start();
      this.#rebalance();
    }
    world.later(world.between(1, FAULT_EVERY_MS), () => this.#fault());
  }

  #kill({ process }: Member): void {
    this.#crashes++;
    process.kill();
    this.#start();
    this.#world.later(this.#world.between(1, SESSION_MS), () => this.#rebalance());
  }

  #pause({ process }: Member): void {
    process.pause();
    const awayMs = this.#world.between(1, 2 * SESSION_MS);
    if (awayMs > SESSION_MS) this.#world.later(SESSION_MS, () => this.#rebalance());
    this.#world.later(awayMs, () => {
      process.resume();
      // One that was thrown out joins again some time after it has noticed.
      if (awayMs > SESSION_MS) {
        this.#world.later(this.#world.between(0, SESSION_MS), () => this.#rebalance());
      }
    });
  }

  #heal(): void {
    this.#healed = true;
    this.#broker.faultRate = 0;
    this.#store.faultRate = 0;
    if (!this.#members.some(({ process }) => !process.dead)) this.#start();
    this.#world.later(SESSION_MS, () => this.#rebalance());
  }

  /** Everything is committed and nothing more is to come. */
  #idle(): boolean {
    return (
      this.#world.nowMs > FAULTS_UNTIL_MS + 2 * SESSION_MS &&
      this.#broker.partitions.every(({ committed, records }) => {
        const done = records.length === 0 || committed.offset === records.length;
        return done && !committed.metadata.includes('"a"');
      })
    );
  }

  #broken(): string[] {
    const broken = [...this.#bugs];
    if (!this.#idle()) broken.push('not consumed to the end');
    for (const span of this.#partOf.keys()) {
      const times = this.#store.stored.get(span) ?? 0;
      if (times !== 1) broken.push(`span ${span} is stored ${times} times`);
    }
    for (const key of this.#poison) {
      if (!this.#store.letters.has(key)) broken.push(`${key} is not among the dead letters`);
    }
    return [...broken, ...this.#brokenLedger()];
  }

  #brokenLedger(): string[] {
    const broken: string[] = [];
    const rows = [...this.#store.ranges.values()];
    for (const { source, records } of this.#broker.partitions) {
      const own = rows.filter((row) => row.source.partition === source.partition);
      own.sort((a, b) => a.first - b.first);
      let next = 0;
      for (const { first, last } of own) {
        if (first !== next)
          broken.push(`ranges of ${source.partition}: ${first} after ${next - 1}`);
        next = last + 1;
      }
      if (next !== records.length) broken.push(`ranges of ${source.partition} end at ${next}`);
    }
    const spans = rows.reduce((sum, row) => sum + row.spans, 0);
    if (spans !== this.#partOf.size) broken.push(`${spans} spans in the ledger`);
    return broken;
  }
}
