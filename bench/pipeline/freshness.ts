// From a sender's OK to the span being there for a question: single spans sent beside the load, and
// looked for by their trace id until they are found.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchEngine } from './engine.ts';

/** Few enough not to be a load themselves. */
const SEND_MS = 200;
/** The grain of the answer; each look costs the engine some milliseconds. */
const LOOK_MS = 50;
/** Who is not there by then is counted as this late. */
const LATE_MS_MAX = 20_000;

export interface Freshness {
  /** From acknowledged to found, of each probe. */
  readonly agesMs: readonly number[];
  readonly sent: number;
}

/** Sends for `seconds`, then waits for the last. `http` is the collector's OTLP port. */
export async function measureFreshness(
  engine: BenchEngine,
  http: number,
  seconds: number,
): Promise<Freshness> {
  const waiting = new Map<string, number>();
  const agesMs: number[] = [];
  let sent = 0;
  let sending = true;
  const send = async (): Promise<void> => {
    const endMs = performance.now() + seconds * 1000;
    while (performance.now() < endMs) {
      const traceId = randomBytes(16).toString('hex');
      await sendSpan(http, traceId);
      waiting.set(BigInt(`0x${traceId.slice(16)}`).toString(), performance.now());
      sent++;
      await sleep(SEND_MS);
    }
    sending = false;
  };
  const look = async (): Promise<void> => {
    while (sending || waiting.size > 0) {
      for (const low of await found(engine, [...waiting.keys()])) {
        const sinceMs = waiting.get(low);
        if (sinceMs === undefined) continue;
        agesMs.push(performance.now() - sinceMs);
        waiting.delete(low);
      }
      for (const [low, sinceMs] of waiting) {
        if (performance.now() - sinceMs < LATE_MS_MAX) continue;
        agesMs.push(LATE_MS_MAX);
        waiting.delete(low);
      }
      await sleep(LOOK_MS);
    }
  };
  await Promise.all([send(), look()]);
  return { agesMs, sent };
}

async function found(engine: BenchEngine, lows: readonly string[]): Promise<string[]> {
  if (lows.length === 0) return [];
  const rows = await engine.rows(
    'SELECT trace_lo FROM spanhouse.spans WHERE ts > now() - 60 AND ' +
      `service = 'probe' AND trace_lo IN (${lows.join(',')})`,
  );
  return rows.map(([low = '']) => low);
}

async function sendSpan(http: number, traceId: string): Promise<void> {
  const nanos = `${Date.now()}000000`;
  const span = {
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: 'probe',
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
  };
  const attributes = [{ key: 'service.name', value: { stringValue: 'probe' } }];
  const body = { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] };
  const answer = await fetch(`http://127.0.0.1:${http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`a probe was answered with ${answer.status}`);
}
