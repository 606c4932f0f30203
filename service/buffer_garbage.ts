// How often V8 looks for buffers that nobody uses any more. By default it marks the whole heap after
// each 64 MiB of them, which a collector at full speed allocates several times a second: half of its
// CPU went there (collector, gRPC, 512 spans a request: 154–208 k spans a CPU-second with V8's rule,
// 423–504 k without any; docs/adr/0017). Without any, several hundred MiB of
// garbage lie around, also where there is nothing to do. So this is the rule: much at once, or some
// and a second ago, which at low rates is V8's own.
//
// It is a V8 flag, so it holds for all threads of the process. A V8 that does not know it keeps its
// default; buffer_garbage.test.ts fails then.

import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MIB = 1024 * 1024;

/** So much garbage at once is collected: at full speed once or twice a second. */
const MUCH_BYTES = 192 * MIB;

/** So much is where the last time was a while ago: a process with little to do stays small. */
const SOME_BYTES = 48 * MIB;
const WHILE_MS = 1_000;

const LOOK_MS = 200;

/** After this, libraries are loaded and connections made. */
const STARTED_MS = 3_000;

const OURS = '--external-memory-accounted-in-global-limit';
const DEFAULT = '--no-external-memory-accounted-in-global-limit';

/** The major version whose flag this is: V8 13, of Node 24. */
const V8_MAJOR = '13';

export interface BufferGarbage {
  stop(): void;
}

/** One a process. */
export function startBufferGarbage(): BufferGarbage {
  if (process.versions.v8.split('.')[0] !== V8_MAJOR) return { stop: () => undefined };
  let floorBytes = process.memoryUsage().arrayBuffers;
  let lastMs = performance.now();
  let collecting = false;
  // With its default V8 begins to mark, in small steps, as soon as the next buffer is allocated.
  const collect = (): void => {
    collecting = true;
    setFlagsFromString(DEFAULT);
  };
  const collected = (): void => {
    collecting = false;
    setFlagsFromString(OURS);
    floorBytes = process.memoryUsage().arrayBuffers;
    lastMs = performance.now();
  };
  setFlagsFromString(OURS);
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isMajor)) collected();
  });
  observer.observe({ entryTypes: ['gc'] });
  const timer = setInterval(() => {
    if (collecting) return;
    const bytes = process.memoryUsage().arrayBuffers - floorBytes;
    const isOld = performance.now() - lastMs >= WHILE_MS;
    if (bytes > MUCH_BYTES || (bytes > SOME_BYTES && isOld)) collect();
  }, LOOK_MS).unref();
  const started = setTimeout(shrink, STARTED_MS).unref();
  return {
    stop: () => {
      clearTimeout(started);
      clearInterval(timer);
      observer.disconnect();
      setFlagsFromString(DEFAULT);
    },
  };
}

/**
 * Gives back what starting took: source texts, code that ran once, half-empty pages. It halves the
 * heap (73 MiB to 30, for one pause of 100 ms), and so what each later collection has to mark.
 */
function shrink(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  collect({ type: 'major', flavor: 'last-resort', execution: 'sync' });
}

function isMajor(entry: object): boolean {
  const { detail } = entry as { readonly detail?: { readonly kind?: number } };
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
