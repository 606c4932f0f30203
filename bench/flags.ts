// Flags of a benchmark: all numbers, all with defaults.

import { parseArgs } from 'node:util';

/**
 * `--name value` for each default; throws a plain sentence for other flags and for what is no
 * number.
 */
export function numericFlags<Name extends string>(
  args: readonly string[],
  defaults: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const names = Object.keys(defaults) as Name[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args: [...args], options });
  const entries = names.map((name) => {
    const text = values[name];
    const value = text === undefined ? defaults[name] : Number(text);
    if (!(value > 0))
      throw new Error(`--${name} must be a positive number, not "${String(text)}".`);
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as Record<Name, number>;
}
