// `spanhouse where`: where does the time go? The contributions of a running query service, as a
// table for people.

import { parseArgs } from 'node:util';
import { type Command, UsageError } from './command.ts';
import { table } from './table.ts';

const HELP = `Usage: spanhouse where --service NAME [flags]

Where does the time go? Of all traces that a search finds: the mean time per trace that each
operation of each service, and each gap between two services, has of the critical path. The rows
add up to the mean length of the traces. docs/ANALYSIS.md defines the words.

Flags:
  --service <name>         traces with a span of this service
  --operation <name>       … and of this operation
  --tag <key=value>        … and with this tag (several: all of them)
  --min-duration <time>    … and at least this long, e.g. 250ms
  --last <time>            how far to look back, e.g. 15m, 24h (default 1h)
  --by <what>              operation (default), service or edge
  --rows <number>          rows to show, at most 100 (default 15)
  --query <url>            the query service (default http://localhost:16686)
  --help                   this text`;

const OPTIONS = {
  service: { type: 'string' },
  operation: { type: 'string' },
  tag: { type: 'string', multiple: true },
  'min-duration': { type: 'string' },
  last: { type: 'string' },
  by: { type: 'string' },
  rows: { type: 'string' },
  query: { type: 'string' },
} as const;

const LISTS = { operation: 'operations', service: 'services', edge: 'edges' } as const;
type By = keyof typeof LISTS;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 };
const MICROS_PER_MS = 1000;
const ROWS_DEFAULT = 15;
const ROWS_MAX = 100;
/** Longer than the query service takes for any answer. */
const TIMEOUT_MS = 70_000;

/** A row of the answer: docs/API.md. */
interface Row {
  readonly service?: string | null;
  readonly operation?: string | null;
  readonly kind?: string | null;
  readonly from?: string | null;
  readonly to?: string | null;
  readonly meanMs: number;
  readonly share: number;
  readonly shareOfTraces: number;
  readonly examples?: { readonly largest: Example | null };
}

interface Example {
  readonly traceId: string;
  readonly ms: number;
}

interface Answer {
  readonly cohort: { readonly matched: number; readonly analysed: number };
  readonly wall: Row & Readonly<Record<'p50' | 'p95' | 'max', Example | null>>;
  readonly operations: readonly Row[];
  readonly services: readonly Row[];
  readonly edges: readonly Row[];
  readonly gaps: readonly Row[];
  readonly unseen: Row;
}

export const where: Command = {
  help: () => HELP,
  run: async ({ args, out }) => {
    const asked = parse(args);
    const answer = await ask(asked.url);
    if (answer.cohort.analysed === 0) {
      out(`No trace of ${asked.service} in the last ${asked.last} meets all that.`);
      return 1;
    }
    out(`${heading(answer, asked)}\n\n${rowsTable(answer, asked)}`);
    return 0;
  },
};

interface Asked {
  readonly service: string;
  readonly last: string;
  readonly by: By;
  readonly rows: number;
  readonly url: URL;
}

function parse(args: readonly string[]): Asked {
  const values = valuesOf(args);
  const { service, last = '1h', by = 'operation', query = 'http://localhost:16686' } = values;
  if (service === undefined || service === '') {
    throw new UsageError('--service is missing: expected the name of a service');
  }
  if (!Object.hasOwn(LISTS, by)) {
    throw new UsageError(`--by should be operation, service or edge, received "${by}"`);
  }
  const rows = Number(values.rows ?? ROWS_DEFAULT);
  if (!Number.isInteger(rows) || rows < 1 || rows > ROWS_MAX) {
    throw new UsageError(`--rows should be a number from 1 to ${ROWS_MAX}`);
  }
  const [, amount = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(last) ?? [];
  const lastMs = Number(amount) * (UNIT_MS[unit] ?? 0);
  if (lastMs === 0) {
    throw new UsageError(`--last should be a time such as 15m, 24h or 7d, received "${last}"`);
  }
  if (!URL.canParse(query)) {
    throw new UsageError(`--query should be a URL such as http://localhost:16686, got "${query}"`);
  }
  // Below its path, as a proxy may show it.
  const url = new URL(`${new URL(query).pathname.replace(/\/+$/, '')}/api/x/contributions`, query);
  const { searchParams: params } = url;
  params.set('service', service);
  params.set('start', String((Date.now() - lastMs) * MICROS_PER_MS));
  if (values.operation !== undefined) params.set('operation', values.operation);
  if (values['min-duration'] !== undefined) params.set('minDuration', values['min-duration']);
  for (const tag of values.tag ?? []) {
    const equals = tag.indexOf('=');
    if (equals < 1) throw new UsageError(`--tag should be key=value, received "${tag}"`);
    params.append('tag', `${tag.slice(0, equals)}:${tag.slice(equals + 1)}`);
  }
  return { service, last, by: by as By, rows, url };
}

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function ask(url: URL): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (cause) {
    throw new Error(
      `nobody answers at ${url.origin}: start \`spanhouse all-in-one\`, or name the query ` +
        'service by --query',
      { cause },
    );
  }
  const text = await response.text();
  let body: Answer & { error?: { message: string } };
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new Error(
      `expected an answer of a query service from ${url.origin}, received status ` +
        `${response.status} and no JSON: check --query`,
      { cause },
    );
  }
  if (!response.ok) throw new Error(body.error?.message ?? `the answer was ${response.status}`);
  return body;
}

function heading({ cohort, wall }: Answer, { service, last }: Asked): string {
  const { matched, analysed } = cohort;
  const of = analysed < matched ? `The newest ${analysed} of ${matched}` : `${analysed}`;
  const at = (example: Example | null): string => (example === null ? '-' : msText(example.ms));
  return (
    `${of} traces with ${service} in the last ${last}: ${msText(wall.meanMs)} ms each on average ` +
    `(median ${at(wall.p50)}, p95 ${at(wall.p95)}, longest ${at(wall.max)} ms).`
  );
}

function rowsTable(answer: Answer, { by, rows }: Asked): string {
  const all = [
    ...answer[LISTS[by]].map((row) => ({ row, name: nameOf(row, by) })),
    ...answer.gaps.map((row) => ({ row, name: `${row.from} → ${row.to}, on the way` })),
    { row: answer.unseen, name: 'between spans, unseen' },
  ]
    .filter(({ row }) => row.meanMs > 0)
    .sort((a, b) => b.row.meanMs - a.row.meanMs);
  const shown = all.slice(0, rows);
  const restMs = answer.wall.meanMs - shown.reduce((sum, { row }) => sum + row.meanMs, 0);
  const lines = shown.map(({ row, name }) => [
    msText(row.meanMs),
    percent(row.share),
    row.shareOfTraces === undefined ? '' : percent(row.shareOfTraces),
    name,
    row.examples?.largest?.traceId ?? '',
  ]);
  if (all.length > shown.length) {
    const name = `${all.length - shown.length} more`;
    lines.push([msText(restMs), percent(restMs / answer.wall.meanMs), '', name, '']);
  }
  const head = ['ms', 'share', 'in traces', 'where', 'most of it in trace'];
  const [aligned = [], ...rest] = rightAligned([head, ...lines], 3);
  return table(aligned, rest);
}

function nameOf({ service, operation, kind, from, to }: Row, by: By): string {
  if (by === 'service') return service ?? 'others';
  if (by === 'edge') return `${from ?? '(start)'} → ${to ?? 'others'}`;
  if (operation === undefined || operation === null) return 'other operations';
  const suffix = kind === 'client' || kind === 'producer' ? `, ${kind}` : '';
  return `${service}: ${operation}${suffix}`;
}

/** The first columns are numbers, and read best below each other. */
function rightAligned(lines: readonly (readonly string[])[], columns: number): string[][] {
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...lines.map((line) => line[i]?.length ?? 0)),
  );
  return lines.map((line) =>
    line.map((cell, i) => (i < columns ? cell.padStart(widths[i] ?? 0) : cell)),
  );
}

function msText(ms: number): string {
  return ms >= 100 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(2);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
