// One setting: how it is read, and what people and documents need to know of it.

import { z } from 'zod';
import type { Kind } from './config_values.ts';

export interface SettingInfo {
  readonly help: string;
  /** As it would be written in a file; always goes through the same parser. */
  readonly fallback: (env: NodeJS.ProcessEnv) => string;
  /** The default as documents show it, where it depends on the machine. */
  readonly fallbackText: string;
  readonly expected: string;
  readonly placeholder: string;
  /** Never printed, and not taken from a flag, which every user of the machine can read. */
  readonly secret: boolean;
}

const info = z.registry<SettingInfo>();

/** Undefined for what is no setting. */
export function infoOf(schema: z.ZodType): SettingInfo | undefined {
  return info.get(schema);
}

/** Of `kind`; `fallback` is written as in a file, and may depend on the environment. */
export function setting<T>(
  kind: Kind<T>,
  fallback: string | ((env: NodeJS.ProcessEnv) => string),
  help: string,
  more: { readonly secret?: boolean; readonly fallbackText?: string } = {},
): z.ZodType<T, unknown> {
  const schema = z.unknown().transform((raw, context): T => {
    const value = kind.parse(raw);
    if (value !== undefined) return value;
    const message = kind.explain?.(raw) ?? `${kind.expected} was expected`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }) as z.ZodType<T, unknown>;
  info.add(schema, {
    help,
    fallback: typeof fallback === 'string' ? () => fallback : fallback,
    fallbackText: more.fallbackText ?? (typeof fallback === 'string' ? fallback : ''),
    expected: kind.expected,
    placeholder: kind.placeholder,
    secret: more.secret ?? false,
  });
  return schema;
}
