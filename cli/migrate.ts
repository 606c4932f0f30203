// `spanhouse migrate`

import { loadConfig } from '../service/config.ts';
import { type Command, helpPage, takeFlag } from './command.ts';
import { migrateStorage, openStorage } from './open_storage.ts';

export const migrate: Command = {
  help: () =>
    helpPage({
      usage: 'migrate [--dry-run] [settings]',
      about: `Brings the tables to the schema of this version: on the server that clickhouse.url names, or
else in the embedded engine's directory. Applies what is missing, in order, and sets the
retention. Safe to repeat, and while others write; all-in-one does it by itself at its start.`,
      flags: '  --dry-run\n        Changes nothing: prints the statements that would be run.',
      settings: ['clickhouse', 'storage', 'retention'],
    }),
  run: async ({ args, env, out }) => {
    const { given: dryRun, rest } = takeFlag(args, '--dry-run');
    const { config } = loadConfig(rest, env);
    const storage = await openStorage(config);
    try {
      const { applied, statements } = await migrateStorage(config, storage.access, dryRun);
      if (dryRun) {
        for (const statement of statements) out(`${statement};\n`);
      } else {
        for (const name of applied) out(`applied ${name}`);
      }
      if (statements.length === 0) out('nothing to do: the tables are up to date');
    } finally {
      await storage.stop();
    }
    return 0;
  },
};
