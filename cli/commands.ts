// The words that `spanhouse` knows, and the way from a command line to an exit code.

import { ConfigError } from '../service/config.ts';
import { didYouMean } from '../service/suggest.ts';
import { type Command, type Context, UsageError } from './command.ts';

interface Entry {
  readonly summary: string;
  /** Loaded only when asked for: --help should not wait for gRPC and the engine. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  'all-in-one': {
    summary: 'collector, storage and query in one process: start here',
    load: async () => (await import('./all_in_one.ts')).allInOne,
  },
  collector: {
    summary: 'receive spans and publish them to Kafka',
    load: async () => (await import('./collector.ts')).collector,
  },
  ingester: {
    summary: 'store the spans from Kafka in ClickHouse',
    load: async () => (await import('./ingester.ts')).ingester,
  },
  lag: {
    summary: 'show how far the ingesters are behind, and the ledger of what they read',
    load: async () => (await import('./lag.ts')).lag,
  },
  deadletters: {
    summary: 'list, replay or drop the records that could not be stored',
    load: async () => (await import('./deadletters.ts')).deadletters,
  },
  query: {
    summary: 'serve the query API from a ClickHouse server',
    load: async () => (await import('./query.ts')).query,
  },
  where: {
    summary: 'say where the time goes: services, operations and gaps on the critical path',
    load: async () => (await import('./where.ts')).where,
  },
  migrate: {
    summary: 'bring the tables of ClickHouse to this version',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  clickhouse: {
    summary: 'run the embedded ClickHouse engine alone',
    load: async () => (await import('./clickhouse.ts')).clickhouse,
  },
  config: {
    summary: 'print the settings in force and where each came from',
    load: async () => (await import('./config.ts')).config,
  },
  demo: {
    summary: 'send the traces of a sample shop, so that there is something to see',
    load: async () => (await import('./demo.ts')).demo,
  },
  version: {
    summary: 'print the version',
    load: async () => (await import('./version.ts')).version,
  },
};

/** Runs one command line to its exit code. Problems are sentences on `err`, never a stack. */
export async function runCommand(context: Context): Promise<number> {
  const [word, ...args] = context.args;
  if (word === undefined || word === 'help' || word === '--help' || word === '-h') {
    const topic = word === 'help' ? args[0] : undefined;
    if (topic !== undefined) return runCommand({ ...context, args: [topic, '--help'] });
    context.out(overview());
    return word === undefined ? 2 : 0;
  }
  const name = word === '--version' || word === '-v' ? 'version' : word;
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    const known = Object.keys(COMMANDS);
    context.err(`spanhouse has no command "${word.slice(0, 80)}"${didYouMean(word, known)}`);
    context.err('`spanhouse --help` lists them.');
    return 2;
  }
  const command = await entry.load();
  if (args.includes('--help') || args.includes('-h')) {
    context.out(command.help());
    return 0;
  }
  try {
    return await command.run({ ...context, args });
  } catch (error) {
    return report(context, name, error);
  }
}

function report(context: Context, name: string, error: unknown): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) context.err(problem);
    const count = error.problems.length;
    context.err(
      `Not started: ${count === 1 ? '1 problem' : `${count} problems`} with the settings. ` +
        `\`spanhouse ${name} --help\` lists them all.`,
    );
    return 2;
  }
  if (error instanceof UsageError) {
    context.err(error.message);
    context.err(`\`spanhouse ${name} --help\` says more.`);
    return 2;
  }
  context.err(`spanhouse ${name}: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
}

function overview(): string {
  const names = Object.keys(COMMANDS);
  const width = Math.max(...names.map((name) => name.length));
  const list = names.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name]!.summary}`);
  return `Spanhouse: spans in from any tracer, answers out about where the time goes.

Usage: spanhouse <command> [flags]

${list.join('\n')}

First steps:
  spanhouse all-in-one                       then point an OpenTelemetry SDK at localhost,
  spanhouse demo                             or send a sample shop's traces;
  spanhouse where --service checkout         where does the time go?
  curl localhost:16686/api/services          read what is there.

\`spanhouse <command> --help\` says more about one. Ports are on localhost unless --listen-host says
otherwise. Settings are flags, SPANHOUSE_… variables, or a file: \`spanhouse config print\`.`;
}
