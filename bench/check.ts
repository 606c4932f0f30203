// OTLP bytes checked to their last nested value (one thread), beside protobufjs decoding them.

import { loadTranscoder } from '../model/codec/otlp/transcoder.ts';
import { corpusRequests, LARGE_REQUESTS, SMALL_REQUESTS } from './corpus.ts';
import { numericFlags } from './flags.ts';
import { measureInterleaved, type Work } from './measure.ts';
import { type Figure, writeReport } from './report.ts';
import { loadDecoder } from './rivals/protobufjs.ts';

/** The corpus lies in its own time; nothing of it may be refused as too old. */
const MAX_AGE_SECONDS = 100 * 365 * 86_400;

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { rounds: 5, seconds: 1 });
  const transcoder = await loadTranscoder();
  const decode = loadDecoder();
  const figures: Figure[] = [];
  const ratios: Record<string, number> = {};
  for (const size of [LARGE_REQUESTS, SMALL_REQUESTS]) {
    const requests = await corpusRequests(size);
    const now = BigInt(Date.now()) * 1_000_000n;
    const over = (walk: (bytes: Uint8Array) => void): Work =>
      eachInTurn(requests, size.spansPerRequest, walk);
    const measured = measureInterleaved(
      {
        check: over((bytes) => {
          const result = transcoder.check(bytes, now, MAX_AGE_SECONDS);
          if (!result.ok || result.spans !== size.spansPerRequest) throw new Error('refused');
        }),
        'protobufjs decode': over(decode),
      },
      flags.rounds,
      flags.seconds,
    );
    for (const [what, figure] of Object.entries(measured)) {
      figures.push({ what, spansPerRequest: size.spansPerRequest, ...figure });
    }
    ratios[`check / protobufjs decode, ${size.spansPerRequest} spans a request`] =
      measured.check.spansPerCpuSecond / measured['protobufjs decode'].spansPerCpuSecond;
  }
  await writeReport({ name: 'check', parameters: flags, figures, ratios });
}

function eachInTurn(
  requests: readonly Uint8Array[],
  spans: number,
  walk: (bytes: Uint8Array) => void,
): Work {
  let turn = 0;
  return {
    once: () => {
      walk(requests[turn++ % requests.length]!);
      return spans;
    },
  };
}
