// What a process and all its descendants have used, from /proc (Linux; see proc(5)).

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface ProcessUse {
  readonly pid: number;
  /** The kernel's name for it, up to 15 characters; all of Node's are called MainThread. */
  readonly name: string;
  /** User and system, of the process and of its children that have ended. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

interface Stat extends ProcessUse {
  readonly parentPid: number;
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const PAGE_BYTES = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));

/** The process first, then its descendants that are alive. Empty when it has ended. */
export function readProcessTree(rootPid: number): readonly ProcessUse[] {
  const all = new Map<number, Stat>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = readStat(Number(entry));
    if (stat !== undefined) all.set(stat.pid, stat);
  }
  const root = all.get(rootPid);
  const tree: Stat[] = root === undefined ? [] : [root];
  for (const parent of tree) {
    for (const stat of all.values()) if (stat.parentPid === parent.pid) tree.push(stat);
  }
  return tree;
}

export function totalCpuSeconds(tree: readonly ProcessUse[]): number {
  return tree.reduce((sum, use) => sum + use.cpuSeconds, 0);
}

export function totalRssBytes(tree: readonly ProcessUse[]): number {
  return tree.reduce((sum, use) => sum + use.rssBytes, 0);
}

/**
 * The script that a runtime was started with, without its folder and ending; else the kernel's
 * name.
 */
export function scriptName(use: ProcessUse): string {
  try {
    const args = readFileSync(`/proc/${use.pid}/cmdline`, 'utf8').split('\0');
    const script = args.find((arg) => /\.[cm]?[jt]s$/.test(arg));
    return script === undefined ? use.name : path.parse(script).name;
  } catch {
    return use.name;
  }
}

/**
 * The name stands in parentheses and may hold anything, so fields are counted from the last one.
 */
export function parseStat(text: string): Stat {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text
    .slice(close + 2)
    .split(' ')
    .map(Number);
  // Here 0 is field 3 of proc_pid_stat(5): ppid 4, utime 14, stime, cutime, cstime 17, rss 24.
  const ticks = [11, 12, 13, 14].reduce((sum, i) => sum + (fields[i] ?? 0), 0);
  return {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, close),
    parentPid: fields[1] ?? 0,
    cpuSeconds: ticks / TICKS_PER_SECOND,
    rssBytes: (fields[21] ?? 0) * PAGE_BYTES,
  };
}

function readStat(pid: number): Stat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // It has ended between the listing and now.
    return undefined;
  }
}
