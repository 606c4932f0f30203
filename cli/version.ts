// `spanhouse version`

import { readFileSync } from 'node:fs';
import { type Command, helpPage, UsageError } from './command.ts';

export const version: Command = {
  help: () => helpPage({ usage: 'version', about: 'Prints our version and that of Node.' }),
  run: async ({ args, out }) => {
    if (args.length > 0) throw new UsageError(`version takes no arguments, "${args[0]}" came`);
    out(
      `spanhouse ${packageVersion()} (Node ${process.version}, ${process.platform}-${process.arch})`,
    );
    return 0;
  },
};

/** From package.json, which stands one folder up, in a clone as in a built package. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
