// `spanhouse migrate`

import { loadConfig } from '../service/config.ts';
import { Health } from '../service/health.ts';
import { Lifecycle } from '../service/lifecycle.ts';
import { createLog } from '../service/log.ts';
import { migrate as bringUp } from '../storage/clickhouse/migrate.ts';
import { type Command, helpPage, takeFlag } from './command.ts';
import { openStore, retentionDays } from './store.ts';

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
    const log = createLog(config.log);
    const life = new Lifecycle(log, config.shutdown.grace);
    try {
      const access = await openStore({ config, life, log, health: new Health() });
      const { applied, statements } = await bringUp({
        client: await access.ingest(),
        database: access.database,
        retentionDays: retentionDays(config),
        ...(config.clickhouse.cluster === '' ? {} : { cluster: config.clickhouse.cluster }),
        dryRun,
      });
      if (dryRun) {
        for (const statement of statements) out(`${statement};\n`);
      } else {
        for (const name of applied) out(`applied ${name}`);
      }
      if (statements.length === 0) out('nothing to do: the tables are up to date');
    } finally {
      await life.stop();
    }
    return 0;
  },
};
