// OTLP bytes to ClickHouse Native blocks (one thread), beside protobufjs objects to JSONEachRow.

import { loadTranscoder, type SpanRecord } from '../model/codec/otlp/transcoder.ts';
import { DEFAULT_TENANT } from '../model/limits.ts';
import { corpusRequests, LARGE_REQUESTS } from './corpus.ts';
import { numericFlags } from './flags.ts';
import { measureInterleaved, type Work } from './measure.ts';
import { type Figure, writeReport } from './report.ts';
import { loadDecoder, toJsonEachRow } from './rivals/protobufjs.ts';

const MAX_AGE_SECONDS = 100 * 365 * 86_400;

/** Requests a block: a lone one, what a busy second brings, and just under BLOCK_ROWS_MAX. */
const GROUPS = [1, 20, 117];

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { rounds: 5, seconds: 1 });
  const transcoder = await loadTranscoder();
  const decode = loadDecoder();
  const requests = await corpusRequests(LARGE_REQUESTS);
  const recordUnixNanos = BigInt(Date.now()) * 1_000_000n;
  const records = requests.map((bytes): SpanRecord => {
    return { tenant: DEFAULT_TENANT, bytes, recordUnixNanos };
  });
  const bytesPerSpan = new Map<string, number>();
  const note = (what: string, bytes: number, spans: number): number => {
    bytesPerSpan.set(what, bytes / spans);
    return spans;
  };
  const rival = 'protobufjs to JSONEachRow';
  let turn = 0;
  const transcodes = GROUPS.map((size) => {
    const what = `native, ${size} request${size === 1 ? '' : 's'} a block`;
    const once = (): number => {
      const from = turn++ % (records.length - size + 1);
      const group = records.slice(from, from + size);
      const { blocks, counts } = transcoder.transcode(group, { maxAgeSeconds: MAX_AGE_SECONDS });
      const bytes = blocks.reduce((sum, { native }) => sum + native.length, 0);
      return note(what, bytes, counts.spans);
    };
    return [what, { once }] as const;
  });
  const once = (): number => {
    const text = toJsonEachRow(decode(requests[turn++ % requests.length]!));
    return note(rival, text.length, LARGE_REQUESTS.spansPerRequest);
  };
  const contenders: Record<string, Work> = { ...Object.fromEntries(transcodes), [rival]: { once } };
  const measured = measureInterleaved(contenders, flags.rounds, flags.seconds);
  const figures: Figure[] = Object.entries(measured).map(([what, figure]) => {
    return { what, ...figure, bytesPerSpan: bytesPerSpan.get(what) ?? 0 };
  });
  const base = measured[rival]?.spansPerCpuSecond ?? 0;
  const ratios = Object.fromEntries(
    transcodes.map(([what]) => {
      return [`${what} / ${rival}`, (measured[what]?.spansPerCpuSecond ?? 0) / base];
    }),
  );
  await writeReport({ name: 'columns', parameters: flags, figures, ratios });
}
