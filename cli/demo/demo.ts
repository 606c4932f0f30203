// `spanhouse demo`: first the last quarter of an hour of a small shop, so that there is something
// to see at once, then its life as it goes on.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Span } from '../../model/span.ts';
import { Exporter, NothingListensError } from './exporter.ts';
import { DEMO_HELP, type DemoOptions, parseDemoOptions } from './options.ts';
import { type Pods, startPods } from './pods.ts';
import { Random } from './random.ts';
import { makeTrace, pickScenario, SCENARIOS, type Scenario } from './scenario.ts';

const HISTORY_SECONDS = 15 * 60;
/** One each 1.5 s: enough for a search to be worth it, sent within a few seconds. */
const HISTORY_TRACES = 600;
/** Sent and forgotten in slices, so that memory does not hold all of the history at once. */
const HISTORY_SLICE_TRACES = 100;
/** SDKs export every few seconds; one second makes the demo feel live. */
const LIVE_SLICE_MS = 1000;
const LIVE_REPORT_SECONDS = 10;

/**
 * Runs until done or interrupted; the exit code is 0, or 1 where it could not send, or 2 for bad
 * flags.
 */
export async function runDemo(args: string[]): Promise<number> {
  let options: DemoOptions | 'help';
  try {
    options = parseDemoOptions(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.error('Try `spanhouse demo --help`.');
    return 2;
  }
  if (options === 'help') {
    console.log(DEMO_HELP);
    return 0;
  }
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    return await playDemo(options, stop.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

async function playDemo(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const exporter = new Exporter(options.endpoint, signal);
  try {
    await exporter.probe();
  } catch (error) {
    if (!(error instanceof NothingListensError)) throw error;
    console.error(`${error.message} Start Spanhouse with \`npm start\` in another terminal, then`);
    console.error('run the demo again, or say with --endpoint where it listens.');
    return 1;
  }
  const random = new Random(options.seed);
  const pods = startPods(random);
  console.log(`A small shop of ${Object.keys(pods).length} services (seed ${options.seed})\n`);
  const examples = await sendHistory(exporter, random, pods, signal);
  if (exporter.totals.spans === 0) {
    console.error(`No span was accepted. ${exporter.totals.lastProblem}`);
    return 1;
  }
  printExamples(examples, options.query);
  if (!options.once && !signal.aborted) await goLive(exporter, random, pods, options, signal);
  return exporter.totals.dropped + exporter.totals.rejected === 0 ? 0 : 1;
}

interface Example {
  readonly scenario: Scenario;
  readonly traceId: string;
}

/** Returns the newest trace of each scenario that teaches something. */
async function sendHistory(
  exporter: Exporter,
  random: Random,
  pods: Pods,
  signal: AbortSignal,
): Promise<readonly Example[]> {
  const nowUnixMs = Date.now();
  const lessons = SCENARIOS.filter(({ lookFor }) => lookFor !== undefined);
  const examples: Example[] = [];
  for (let sent = 0; sent < HISTORY_TRACES && !signal.aborted; sent += HISTORY_SLICE_TRACES) {
    const slice: Span[] = [];
    for (let i = sent; i < sent + HISTORY_SLICE_TRACES; i++) {
      // The last few are the lessons, so that each is there whatever chance says.
      const lesson = lessons[i - (HISTORY_TRACES - lessons.length)];
      const agoMs = (HISTORY_SECONDS * 1000 * (HISTORY_TRACES - i)) / HISTORY_TRACES;
      const scenario = lesson ?? pickScenario(random);
      const trace = makeTrace(random, pods, scenario, unixNanos(nowUnixMs - agoMs));
      slice.push(...trace);
      if (lesson !== undefined) examples.push({ scenario, traceId: trace[0]?.traceId ?? '' });
    }
    await exporter.send(slice);
  }
  const { spans, requests } = exporter.totals;
  const took = ((Date.now() - nowUnixMs) / 1000).toFixed(1);
  const what = `${HISTORY_TRACES} traces, ${spans.toLocaleString('en-US')} spans`;
  console.log(`Sent the last 15 minutes: ${what} in ${requests} requests, ${took} s.`);
  printProblems(exporter);
  console.log('');
  return examples;
}

function printExamples(examples: readonly Example[], query: string): void {
  console.log('Worth a look:');
  for (const { scenario, traceId } of examples) {
    console.log(`  ${scenario.name}: ${scenario.lookFor ?? ''}`);
    console.log(`    ${query}/api/traces/${traceId}`);
  }
  console.log('\nWhere does the time go?');
  console.log(`  npx spanhouse where --service checkout --query ${query}`);
  console.log('\nOr search:');
  const failed = encodeURIComponent('{"error":"true"}');
  for (const path of [
    '/api/services',
    '/api/traces?service=checkout&limit=20',
    '/api/traces?service=payment&minDuration=300ms',
    `/api/traces?service=storefront&tags=${failed}`,
  ]) {
    console.log(`  curl '${query}${path}'`);
  }
  console.log('');
}

async function goLive(
  exporter: Exporter,
  random: Random,
  pods: Pods,
  options: DemoOptions,
  signal: AbortSignal,
): Promise<void> {
  console.log(`Live: ${options.tracesPerSecond} traces a second. Ctrl-C ends it.`);
  const startMs = performance.now();
  const spansBefore = exporter.totals.spans;
  // A server that kept us waiting must not be punished with a burst: traces that are late are left
  // out.
  const tracesPerSliceMax = Math.ceil((options.tracesPerSecond * LIVE_SLICE_MS) / 1000) + 1;
  let due = 0;
  let sent = 0;
  let reportAtSeconds = LIVE_REPORT_SECONDS;
  for (;;) {
    await sleep(LIVE_SLICE_MS, undefined, { signal }).catch(() => undefined);
    const seconds = Math.min((performance.now() - startMs) / 1000, options.durationSeconds);
    const dueBefore = due;
    due = Math.floor(seconds * options.tracesPerSecond);
    const traces = Math.min(due - dueBefore, tracesPerSliceMax);
    const slice = Array.from({ length: traces }, () => {
      const agoMs = random.fraction() * LIVE_SLICE_MS;
      return makeTrace(random, pods, pickScenario(random), unixNanos(Date.now() - agoMs));
    });
    await exporter.send(slice.flat());
    sent += traces;
    const over = signal.aborted || seconds >= options.durationSeconds;
    if (seconds >= reportAtSeconds || over) {
      const spans = (exporter.totals.spans - spansBefore).toLocaleString('en-US');
      console.log(`  ${seconds.toFixed(0)} s: ${sent} traces, ${spans} spans`);
      printProblems(exporter);
      reportAtSeconds = seconds + LIVE_REPORT_SECONDS;
    }
    if (over) return;
  }
}

function printProblems({ totals }: Exporter): void {
  const counts = [
    [totals.retries, 'requests sent again'],
    [totals.rejected, 'spans rejected'],
    [totals.dropped, 'spans dropped'],
  ] as const;
  const told = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (told.length > 0) console.log(`  ${told.join(', ')}; lately: ${totals.lastProblem}`);
}

function unixNanos(unixMs: number): bigint {
  return BigInt(Math.round(unixMs * 1000)) * 1000n;
}
