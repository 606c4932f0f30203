// What a subcommand is, and what they share.

import { flagsHelp } from '../service/config_help.ts';

export interface Context {
  /** Behind the subcommand's name. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Results, a line or more without the last line break. */
  readonly out: (text: string) => void;
  /** Everything else that a person should see. */
  readonly err: (text: string) => void;
}

export interface Command {
  /** For --help. */
  readonly help: () => string;
  /** Resolves with the exit code: 0 done, 1 failed, 2 asked in a way that we do not understand. */
  readonly run: (context: Context) => Promise<number>;
}

/** Asked in a way that we do not understand; the message is one plain sentence. */
export class UsageError extends Error {}

/** Help in one shape: usage, what it does, its flags, the settings that it heeds. */
export function helpPage(page: {
  readonly usage: string;
  readonly about: string;
  readonly flags?: string;
  readonly settings?: readonly string[];
}): string {
  const parts = [`Usage: spanhouse ${page.usage}`, page.about.trim()];
  if (page.flags !== undefined) parts.push(`Flags:\n${page.flags}`);
  if (page.settings !== undefined) {
    parts.push(`Settings (each also by environment and file, see docs/CONFIGURATION.md):
${flagsHelp(page.settings)}`);
  }
  return parts.join('\n\n');
}

/** Takes a flag without a value out of the arguments. */
export function takeFlag(
  args: readonly string[],
  flag: string,
): { readonly given: boolean; readonly rest: readonly string[] } {
  const rest = args.filter((argument) => argument !== flag);
  return { given: rest.length < args.length, rest };
}
