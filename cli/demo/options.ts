// `spanhouse demo`'s flags.

import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Origin of an OTLP/HTTP receiver. */
  readonly endpoint: string;
  /** Origin of the query API, for the addresses that are printed. */
  readonly query: string;
  readonly tracesPerSecond: number;
  /** Of the live part; Infinity until interrupted. */
  readonly durationSeconds: number;
  /** History only. */
  readonly once: boolean;
  readonly seed: number;
}

export const DEMO_HELP = `spanhouse demo: sends the traces of a small shop to a running Spanhouse.

  --endpoint <url>     OTLP/HTTP receiver (default http://localhost:4318)
  --query <url>        query API, for the addresses it prints (default: same host, port 16686)
  --rate <number>      traces a second in the live part, at most 200 (default 5)
  --duration <time>    length of the live part, e.g. 30s, 5m (default: until Ctrl-C)
  --once               send the last 15 minutes, then end
  --seed <number>      the same seed makes the same traces (default: a new one each time)
  --help               this text`;

/** One process on one core makes a few thousand spans a second; a load test is bench/'s work. */
const RATE_MAX = 200;

/** Throws an Error with one plain sentence for a flag that is unknown or has a bad value. */
export function parseDemoOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      endpoint: { type: 'string', default: 'http://localhost:4318' },
      query: { type: 'string' },
      rate: { type: 'string', default: '5' },
      duration: { type: 'string' },
      once: { type: 'boolean', default: false },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const endpoint = readUrl('--endpoint', values.endpoint);
  return {
    endpoint: endpoint.href,
    query: readUrl('--query', values.query ?? `http://${endpoint.hostname}:16686`).origin,
    tracesPerSecond: readRate(values.rate),
    durationSeconds: values.duration === undefined ? Infinity : readDuration(values.duration),
    once: values.once,
    seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : readSeed(values.seed),
  };
}

function readUrl(flag: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(`${flag} must be an address like http://localhost:4318, not "${text}".`);
  }
  return url;
}

function readRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate <= RATE_MAX)) {
    throw new Error(`--rate must be a number of traces a second up to ${RATE_MAX}, not "${text}".`);
  }
  return rate;
}

function readDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text);
  if (match === null) throw new Error(`--duration must be a time like 30s or 5m, not "${text}".`);
  const unitSeconds = { s: 1, m: 60, h: 3600 }[match[2] ?? 's'] ?? 1;
  return Number(match[1]) * unitSeconds;
}

function readSeed(text: string): number {
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new Error(`--seed must be a whole number from 0 to ${2 ** 32 - 1}, not "${text}".`);
  }
  return seed;
}
