// Reads the configuration: flag > environment > file > default, each setting by itself. Refuses to
// go on with a wrong one (P12), and then lists every problem, not the first.

import { readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { CONFIG_SCHEMA, type Config, SETTINGS, type Setting } from './config_schema.ts';
import { didYouMean } from './suggest.ts';

/** Where a value came from, as an operator would look for it: `--log-level`, `a.yaml`, `default`. */
export interface Chosen {
  readonly raw: unknown;
  readonly from: string;
}

export interface Loaded {
  readonly config: Config;
  /** By the setting's name, for `config print`. */
  readonly chosen: ReadonlyMap<string, Chosen>;
}

export class ConfigError extends Error {
  /** One plain sentence each. */
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** A configuration file holds a few dozen settings; a larger one is another file. */
const FILE_BYTES_MAX = 1024 * 1024;

/** Longer values are cut in messages. */
const SHOWN_LENGTH_MAX = 80;

/**
 * `args` are the flags only, `--name value` or `--name=value`, with `--config file.yaml` among them.
 * Throws ConfigError.
 */
export function loadConfig(args: readonly string[], env: NodeJS.ProcessEnv): Loaded {
  const problems: string[] = [];
  const flags = readFlags(args, problems);
  const variables = readEnvironment(env, problems);
  const fromFlag = flags.get('config');
  const path = fromFlag ?? env['SPANHOUSE_CONFIG'];
  const file = path === undefined || path === '' ? new Map() : readFile(path, problems);
  const chosen = new Map<string, Chosen>();
  for (const setting of SETTINGS) {
    chosen.set(setting.name, choose(setting, flags, variables, file, path ?? '', env));
  }
  const result = CONFIG_SCHEMA.safeParse(nest(chosen));
  if (!result.success) problems.push(...result.error.issues.map((issue) => explain(issue, chosen)));
  if (result.success && problems.length === 0) return { config: result.data, chosen };
  throw new ConfigError(problems);
}

function choose(
  setting: Setting,
  flags: ReadonlyMap<string, string>,
  variables: ReadonlyMap<string, string>,
  file: ReadonlyMap<string, unknown>,
  path: string,
  env: NodeJS.ProcessEnv,
): Chosen {
  const flag = setting.flag === undefined ? undefined : flags.get(setting.flag);
  if (flag !== undefined) return { raw: flag, from: `--${setting.flag}` };
  const variable = variables.get(setting.env);
  if (variable !== undefined) return { raw: variable, from: setting.env };
  if (file.has(setting.name)) return { raw: file.get(setting.name), from: path };
  return { raw: setting.fallback(env), from: 'default' };
}

function readFlags(args: readonly string[], problems: string[]): Map<string, string> {
  const known = new Map(SETTINGS.flatMap((s) => (s.flag === undefined ? [] : [[s.flag, s]])));
  const secrets = new Map(SETTINGS.filter((s) => s.secret).map((s) => [dashed(s.name), s]));
  const names = ['config', ...known.keys()];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const flags = new Map<string, string>();
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  let unknownAt = -2;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (token.index === unknownAt + 1) continue;
      problems.push(`"${shown(token.value)}" is not expected here: settings are --name value`);
    } else if (token.kind === 'option' && names.includes(token.name)) {
      // parseArgs takes what follows as the value, even another flag.
      if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))) {
        problems.push(`--${token.name} needs a value`);
      } else if (flags.has(token.name)) {
        problems.push(`--${token.name} was given twice: give it once`);
      } else {
        flags.set(token.name, token.value);
      }
    } else if (token.kind === 'option') {
      unknownAt = token.index;
      const secret = secrets.get(token.name);
      problems.push(
        secret === undefined
          ? `${token.rawName} is no flag${didYouMean(token.rawName, names.map(withDashes))}`
          : `${token.rawName} would show a secret to every user of this machine: use ${secret.env}`,
      );
    }
  }
  return flags;
}

/** Kubernetes sets such variables in every pod for a Service that is named spanhouse-…. */
const KUBERNETES_VARIABLE = /_SERVICE_(HOST|PORT)(_|$)|_PORT(_\d+_(TCP|UDP)(_|$)|$)/;

/** An empty variable counts as not set: charts and compose files leave them behind. */
function readEnvironment(env: NodeJS.ProcessEnv, problems: string[]): Map<string, string> {
  const known = new Set(SETTINGS.map((setting) => setting.env));
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('SPANHOUSE_') || name === 'SPANHOUSE_CONFIG') continue;
    if (known.has(name)) {
      if (value !== undefined && value !== '') variables.set(name, value);
    } else if (!KUBERNETES_VARIABLE.test(name)) {
      problems.push(`${name} is no setting of ours${didYouMean(name, known)}`);
    }
  }
  return variables;
}

/** Leaves by their dotted names. A null (an empty section) counts as not set. */
function readFile(path: string, problems: string[]): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  let source: string;
  try {
    if (statSync(path).size > FILE_BYTES_MAX) {
      problems.push(`${path}: a file of at most ${FILE_BYTES_MAX} bytes was expected`);
      return leaves;
    }
    source = readFileSync(path, 'utf8');
  } catch (error) {
    problems.push(`${path} cannot be read: ${(error as Error).message}`);
    return leaves;
  }
  const document = parseDocument(source);
  if (document.errors.length > 0) {
    // The first line only: the rest quotes the file, which may hold secrets.
    const first = (e: Error): string => e.message.split('\n', 1)[0] as string;
    problems.push(...document.errors.map((error) => `${path} is no YAML: ${first(error)}`));
    return leaves;
  }
  const root: unknown = document.toJS();
  if (isSection(root)) collect(root, '', path, leaves, problems);
  else if (root !== null) problems.push(`${path}: sections of settings were expected`);
  return leaves;
}

function collect(
  section: Readonly<Record<string, unknown>>,
  prefix: string,
  path: string,
  leaves: Map<string, unknown>,
  problems: string[],
): void {
  for (const [key, value] of Object.entries(section)) {
    const name = `${prefix}${key}`;
    const isSetting = SETTINGS.some((setting) => setting.name === name);
    const isPrefix = SETTINGS.some((setting) => setting.name.startsWith(`${name}.`));
    if (isSetting) {
      if (value !== null) leaves.set(name, value);
    } else if (isPrefix && isSection(value)) {
      collect(value, `${name}.`, path, leaves, problems);
    } else if (isPrefix) {
      if (value !== null) problems.push(`${name} in ${path}: a section was expected, not a value`);
    } else {
      const names = SETTINGS.map((setting) => setting.name);
      problems.push(`${shown(name)} in ${path} is no setting${didYouMean(name, names)}`);
    }
  }
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nest(chosen: ReadonlyMap<string, Chosen>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, { raw }] of chosen) {
    const [section, key] = name.split('.') as [string, string | undefined];
    if (key === undefined) {
      root[section] = raw;
      continue;
    }
    root[section] ??= {};
    (root[section] as Record<string, unknown>)[key] = raw;
  }
  return root;
}

function explain(issue: z.core.$ZodIssue, chosen: ReadonlyMap<string, Chosen>): string {
  const name = issue.path.join('.');
  const setting = SETTINGS.find((known) => known.name === name);
  const { raw, from } = chosen.get(name) ?? { raw: undefined, from: 'nowhere' };
  const came = setting?.secret ? 'something else' : shown(JSON.stringify(raw) ?? 'nothing');
  return `${name}: ${issue.message}, ${came} came (from ${from})`;
}

function shown(value: string): string {
  return value.length > SHOWN_LENGTH_MAX ? `${value.slice(0, SHOWN_LENGTH_MAX)}…` : value;
}

function dashed(name: string): string {
  return name.replace(/[._]/g, '-');
}

function withDashes(name: string): string {
  return `--${name}`;
}
