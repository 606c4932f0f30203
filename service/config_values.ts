// What a setting's text may be, and what it becomes. The same words serve flags, environment and
// YAML, so each kind reads a string, a number or a boolean, and lists read YAML lists too.

export interface Kind<T> {
  /** Completes "… was expected", and stands in the documentation. */
  readonly expected: string;
  /** A placeholder for `--flag <placeholder>`. */
  readonly placeholder: string;
  /** undefined: not of this kind. */
  readonly parse: (raw: unknown) => T | undefined;
  /** What is wrong with `raw`, where more can be said than that something else was expected. */
  readonly explain?: (raw: unknown) => string | undefined;
}

/** Where to listen; no host means that of listen.host. */
export interface Address {
  readonly host: string | undefined;
  readonly port: number;
}

const TEXT_LENGTH_MAX = 4096;
const LIST_LENGTH_MAX = 100;

export function text(expected: string, pattern = /^[^\p{Cc}]*$/u): Kind<string> {
  return {
    expected,
    placeholder: 'text',
    parse: (raw) => {
      const value = scalar(raw);
      return value !== undefined && pattern.test(value) ? value : undefined;
    },
  };
}

export function choice<const C extends string>(...choices: readonly C[]): Kind<C> {
  return {
    expected: `one of ${choices.join(', ')}`,
    placeholder: choices.join('|'),
    parse: (raw) => choices.find((known) => known === scalar(raw)),
  };
}

export function count(min: number, max: number): Kind<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    placeholder: 'number',
    parse: (raw) => {
      const value = scalar(raw);
      if (value === undefined || !/^\d{1,15}$/.test(value)) return undefined;
      return within(Number(value), min, max);
    },
  };
}

const DURATION_UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds. */
export function duration(min: string, max: string): Kind<number> {
  const minMs = unitNumber(min, DURATION_UNIT_MS) ?? 0;
  const maxMs = unitNumber(max, DURATION_UNIT_MS) ?? 0;
  return {
    expected: `a duration from ${min} to ${max} (units ms, s, m, h, d)`,
    placeholder: 'duration',
    parse: (raw) => within(unitNumber(scalar(raw), DURATION_UNIT_MS), minMs, maxMs),
  };
}

const DAY_MS = 86_400_000;

/** Milliseconds, a whole number of days. */
export function days(min: string, max: string): Kind<number> {
  const kind = duration(min, max);
  return {
    ...kind,
    expected: `a whole number of days from ${min} to ${max}`,
    parse: (raw) => {
      const value = kind.parse(raw);
      return value === undefined || value % DAY_MS !== 0 ? undefined : value;
    },
  };
}

const SIZE_UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Bytes. */
export function size(min: string, max: string): Kind<number> {
  const minBytes = unitNumber(min, SIZE_UNIT_BYTES) ?? 0;
  const maxBytes = unitNumber(max, SIZE_UNIT_BYTES) ?? 0;
  return {
    expected: `a size from ${min} to ${max} (units B, KiB, MiB, GiB, TiB)`,
    placeholder: 'size',
    parse: (raw) => within(unitNumber(scalar(raw), SIZE_UNIT_BYTES), minBytes, maxBytes),
  };
}

export const address: Kind<Address> = {
  expected: 'a port (0 to 65535; 0 lets the system choose) or host:port',
  placeholder: '[host:]port',
  parse: (raw) => {
    const match = /^(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):)?(\d{1,5})$/.exec(scalar(raw) ?? '');
    const port = within(Number(match?.[2] ?? Number.NaN), 0, 65_535);
    return port === undefined ? undefined : { host: match?.[1]?.replace(/^\[|\]$/g, ''), port };
  },
};

/** A listener that not everyone needs. */
export const addressOrOff: Kind<Address | 'off'> = {
  ...address,
  expected: `off, or ${address.expected}`,
  placeholder: 'off|[host:]port',
  parse: (raw) => (raw === false || raw === 'off' ? 'off' : address.parse(raw)),
};

/** http or https, without credentials, which would show up wherever the URL is printed. */
export const url: Kind<string> = {
  expected: 'an http:// or https:// URL without user and password in it',
  placeholder: 'url',
  parse: (raw) => {
    const value = scalar(raw);
    if (value === undefined || value === '') return value;
    if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return undefined;
    const { username, password } = new URL(value);
    return username === '' && password === '' ? value : undefined;
  },
};

/** `a,b,c`, or a YAML list. */
export function list(expected: string, pattern: RegExp): Kind<readonly string[]> {
  return {
    expected,
    placeholder: 'a,b,…',
    parse: (raw) => {
      const parts = Array.isArray(raw) ? raw : (scalar(raw)?.split(',') ?? [raw]);
      if (parts.length > LIST_LENGTH_MAX) return undefined;
      const items = parts.map((part) => scalar(part)?.trim()).filter((part) => part !== '');
      return items.every((part) => part !== undefined && pattern.test(part))
        ? (items as string[])
        : undefined;
    },
  };
}

function scalar(raw: unknown): string | undefined {
  if (typeof raw === 'number' || typeof raw === 'boolean') return String(raw);
  return typeof raw === 'string' && raw.length <= TEXT_LENGTH_MAX ? raw : undefined;
}

/** `1.5h` → 1.5 × the unit of h, rounded; undefined without a known unit. */
function unitNumber(
  value: string | undefined,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,3})?) ?([A-Za-z]+)$/.exec(value ?? '');
  const unit = Object.hasOwn(units, match?.[2] ?? '') ? units[match?.[2] ?? ''] : undefined;
  return unit === undefined ? undefined : Math.round(Number(match?.[1]) * unit);
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}
