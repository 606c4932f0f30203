// The ingester as a process of its own reads from Kafka, which is not built yet. It says so, and
// exits as for any command line that cannot be served.

import { type Command, helpPage } from './command.ts';

export const ingester = needsKafka(
  'ingester',
  'Reads the spans that collectors have published to Kafka, and stores them in ClickHouse.',
);

function needsKafka(name: string, about: string): Command {
  const sentence =
    `spanhouse ${name} needs Kafka, which comes in the next version: ` +
    'until then `spanhouse all-in-one` does the same work in one process.';
  return {
    help: () => helpPage({ usage: name, about: `${about}\n\n${sentence}` }),
    run: async ({ err }) => {
      err(sentence);
      return 2;
    },
  };
}
