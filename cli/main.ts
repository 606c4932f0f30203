// The process behind `spanhouse`: arguments in, exit code out.

import { runCommand } from './commands.ts';

// `spanhouse --help | head -1` closes our output early; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exit(
  await runCommand({
    args: process.argv.slice(2),
    env: process.env,
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
  }),
);
