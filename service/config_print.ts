// What is in force and where each value came from, as YAML that can be used as a file again.

import { stringify } from 'yaml';
import type { Loaded } from './config.ts';
import { SETTINGS } from './config_schema.ts';

/** Where the comments start, so that they can be read as a column. */
const COMMENT_COLUMN = 40;

/** Digits that YAML reads back as the same digits: `4317` needs no quotes, `007` does. */
const PLAIN_NUMBER = /^(0|[1-9]\d{0,14})$/;

/** Secrets that are set are shown as a comment only, so that the output is never a wrong file. */
export function printConfig(loaded: Loaded): string {
  const lines: string[] = [];
  let open = '';
  for (const setting of SETTINGS) {
    const [section, key] = setting.name.split('.') as [string, string | undefined];
    if (key !== undefined && section !== open) lines.push(`${section}:`);
    open = key === undefined ? '' : section;
    const { raw, from } = loaded.chosen.get(setting.name) ?? { raw: '', from: 'default' };
    const indent = key === undefined ? '' : '  ';
    if (setting.secret) {
      const state = raw === '' ? 'not set' : `redacted, from ${from}`;
      lines.push(`${indent}# ${key ?? section}: (${state})`);
      continue;
    }
    const value = PLAIN_NUMBER.test(String(raw))
      ? String(raw)
      : stringify(raw, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
    lines.push(`${`${indent}${key ?? section}: ${value}`.padEnd(COMMENT_COLUMN)} # ${from}`);
  }
  return `${lines.join('\n')}\n`;
}
