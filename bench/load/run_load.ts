// One load against one server: starts the generator, and reads what the server's processes used for
// it.

import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadOptions, LoadResult } from './options.ts';
import { readProcessTree, scriptName, totalCpuSeconds, totalRssBytes } from './process_tree.ts';

/** Work goes on after the last answer (merges, garbage): until so little is used, for so long. */
const QUIET_CPU_SHARE = 0.1;
const QUIET_WINDOW_MS = 1000;
const QUIET_WAIT_MS_MAX = 20_000;

const SAMPLE_MS = 250;

export interface ServerUse {
  /** From the first send to the last answer. */
  readonly cpuSecondsAnswered: number;
  /** From the first send until the server was quiet again, at most 20 s after the last answer. */
  readonly cpuSeconds: number;
  /** Of `cpuSeconds`, each process' part, by name. */
  readonly cpuSecondsByProcess: Readonly<Record<string, number>>;
  /** Highest sum over the processes; shared pages count in each. */
  readonly rssPeakBytes: number;
  readonly rssEndBytes: number;
}

export interface LoadRun {
  readonly load: LoadResult;
  readonly server: ServerUse;
}

/** Throws when the generator ended without a result, with what it wrote to stderr shown. */
export async function runLoad(serverPid: number, options: LoadOptions): Promise<LoadRun> {
  const file = path.join(import.meta.dirname, 'generator.ts');
  const generator = spawn(process.execPath, [file, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const lines = linesOf(generator);
    await nextLine(lines);
    const before = readProcessTree(serverPid);
    let rssPeakBytes = totalRssBytes(before);
    const sampler = setInterval(() => {
      rssPeakBytes = Math.max(rssPeakBytes, totalRssBytes(readProcessTree(serverPid)));
    }, SAMPLE_MS);
    generator.stdin.write('go\n');
    const load = JSON.parse(await nextLine(lines)) as LoadResult;
    const answered = readProcessTree(serverPid);
    await untilQuiet(serverPid);
    clearInterval(sampler);
    const after = readProcessTree(serverPid);
    const cpuBefore = totalCpuSeconds(before);
    const server = {
      cpuSecondsAnswered: totalCpuSeconds(answered) - cpuBefore,
      cpuSeconds: totalCpuSeconds(after) - cpuBefore,
      cpuSecondsByProcess: byProcess(before, after),
      rssPeakBytes,
      rssEndBytes: totalRssBytes(after),
    };
    return { load, server };
  } finally {
    generator.kill();
  }
}

/**
 * Waits until the process tree uses next to nothing; gives up after 20 s, since some servers never
 * rest.
 */
export async function untilQuiet(pid: number): Promise<void> {
  const endMs = performance.now() + QUIET_WAIT_MS_MAX;
  while (performance.now() < endMs) {
    const before = totalCpuSeconds(readProcessTree(pid));
    await sleep(QUIET_WINDOW_MS);
    const used = totalCpuSeconds(readProcessTree(pid)) - before;
    if (used < (QUIET_CPU_SHARE * QUIET_WINDOW_MS) / 1000) return;
  }
}

function byProcess(
  before: ReturnType<typeof readProcessTree>,
  after: ReturnType<typeof readProcessTree>,
): Record<string, number> {
  const record: Record<string, number> = {};
  for (const use of after) {
    const earlier = before.find(({ pid }) => pid === use.pid)?.cpuSeconds ?? 0;
    const name = scriptName(use);
    record[name] = (record[name] ?? 0) + use.cpuSeconds - earlier;
  }
  return record;
}

type Lines = AsyncIterator<string>;

function linesOf(child: ChildProcess): Lines {
  if (child.stdout === null) throw new Error('Expected a child with a pipe as its stdout.');
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}

async function nextLine(lines: Lines): Promise<string> {
  const line = await lines.next();
  if (line.done === true) throw new Error('The load generator ended without a result.');
  return line.value;
}
