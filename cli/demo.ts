// `spanhouse demo`: see demo/.

import type { Command } from './command.ts';
import { runDemo } from './demo/demo.ts';
import { DEMO_HELP } from './demo/options.ts';

export const demo: Command = {
  help: () => DEMO_HELP,
  run: ({ args }) => runDemo([...args]),
};
