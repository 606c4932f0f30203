// `spanhouse deadletters`: records that could not be stored, looked at, tried again, or let go.

import { loadConfig } from '../service/config.ts';
import { DeadLetterReader, type StoredLetter } from '../storage/kafka/dead_letter_reader.ts';
import { type DeadLetterTopic, openDeadLetterTopic } from '../storage/kafka/dead_letter_topic.ts';
import { type Command, helpPage, UsageError } from './command.ts';
import { kafkaConnection } from './kafka_connection.ts';
import { table } from './table.ts';

const ACTS = ['list', 'replay', 'drop'] as const;
type Act = (typeof ACTS)[number];

export const deadletters: Command = {
  help: () =>
    helpPage({
      usage: 'deadletters list|replay|drop [KEY… | --all] --kafka-brokers HOST:PORT,… [settings]',
      about: `list shows the records that could not be stored, with their keys (topic:partition:offset).
replay writes them back to the end of the partition that they came from, as they came: after a
fault of ours is mended, say. drop lets go of them. Both take keys, or --all.`,
      flags: '  --all\n        Every letter that is listed.',
      settings: ['kafka'],
    }),
  run: async ({ args, env, out }) => {
    const { act, keys, all, rest } = parse(args);
    const { config } = loadConfig(rest, env);
    const connection = kafkaConnection(config, 'deadletters');
    const reader = new DeadLetterReader(connection, config.kafka.dead_letter_topic);
    const { dead_letter_topic: name, record_bytes: bytesMax } = config.kafka;
    const topic = openDeadLetterTopic(connection, name, bytesMax);
    try {
      const letters = await reader.list();
      if (act === 'list') {
        out(listing(letters));
        return 0;
      }
      const chosen = all ? letters : choose(letters, keys);
      for (const letter of chosen) {
        if (act === 'replay') await replay(letter, reader, topic);
        else await topic.mark(letter.key, 'dropped');
        out(`${act === 'replay' ? 'replayed' : 'dropped'} ${letter.key}`);
      }
      return 0;
    } finally {
      await topic.close();
      await reader.close();
    }
  },
};

/** Sent back first: a crash between the two replays it twice, and its spans are shown once. */
async function replay(
  letter: StoredLetter,
  reader: DeadLetterReader,
  topic: DeadLetterTopic,
): Promise<void> {
  const record = await reader.read(letter);
  await topic.sendBack(record, letter.topic, letter.partition, letter.timestampMs);
  await topic.mark(letter.key, 'replayed');
}

export function parse(args: readonly string[]): {
  readonly act: Act;
  readonly keys: readonly string[];
  readonly all: boolean;
  readonly rest: readonly string[];
} {
  const act = ACTS.find((one) => one === args[0]);
  if (act === undefined) {
    throw new UsageError(`deadletters was expected with one of ${ACTS.join(', ')}.`);
  }
  const keys = args.slice(1).filter((one) => /^[A-Za-z0-9._-]+:\d+:\d+$/.test(one));
  const all = args.includes('--all');
  if (act !== 'list' && !all && keys.length === 0) {
    throw new UsageError(`deadletters ${act} needs keys (topic:partition:offset), or --all.`);
  }
  const rest = args.slice(1).filter((one) => one !== '--all' && !keys.includes(one));
  return { act, keys, all, rest };
}

function choose(letters: readonly StoredLetter[], keys: readonly string[]): StoredLetter[] {
  return keys.map((key) => {
    const letter = letters.find((one) => one.key === key);
    if (letter === undefined)
      throw new Error(`there is no letter ${key}: list shows those there are`);
    return letter;
  });
}

export function listing(letters: readonly StoredLetter[]): string {
  if (letters.length === 0) return 'no dead letters';
  return table(
    ['key', 'reason', 'time', 'bytes', 'encoding'],
    letters.map((one) => [one.key, one.reason, isoTime(one.timestampMs), one.bytes, one.encoding]),
  );
}

function isoTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}
