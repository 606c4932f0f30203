// `spanhouse config print`

import { loadConfig } from '../service/config.ts';
import { printConfig } from '../service/config_print.ts';
import { didYouMean } from '../service/suggest.ts';
import { type Command, helpPage, UsageError } from './command.ts';

export const config: Command = {
  help: () =>
    helpPage({
      usage: 'config print [--config file.yaml] [settings]',
      about: `Prints every setting that is in force as YAML, with the place that it came from: a flag,
an environment variable, the file, or the default. Secrets are not shown. The output can be
used as a file again. Takes the same settings as the other commands; when some are wrong, it
lists them all and exits with 2.`,
    }),
  run: async ({ args, env, out }) => {
    const [word, ...flags] = args;
    if (word !== 'print') {
      const came = word === undefined ? 'nothing' : `"${word}"${didYouMean(word, ['print'])}`;
      throw new UsageError(`config print was expected, ${came} came`);
    }
    out(printConfig(loadConfig(flags, env)).trimEnd());
    return 0;
  },
};
