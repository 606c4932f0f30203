import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessInfo {
  readonly pid: number;
  readonly parentPid: number;
  /** The command line, arguments separated by blanks. */
  readonly command: string;
  readonly rssBytes: number;
}

/** The direct children of `pid`. /proc where there is one (slim images have no ps), else ps. */
export function childrenOf(pid: number): ProcessInfo[] {
  return list().filter((process) => process.parentPid === pid);
}

/** Resident memory of one process; 0 when it is gone. */
export function rssBytes(pid: number): number {
  return list().find((process) => process.pid === pid)?.rssBytes ?? 0;
}

export interface CpuTime {
  readonly ranMs: number;
  /** Ready to run, while others had the CPUs. */
  readonly waitedMs: number;
}

/**
 * What the main thread of `pid` got of the CPUs since it started. Linux only; zeros elsewhere.
 * /proc/…/schedstat: nanoseconds on a CPU, nanoseconds of waiting for one, time slices.
 */
export function mainThreadCpu(pid: number): CpuTime {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8');
    const [ran, waited] = text.split(' ').map((nanos) => Number(nanos) / 1e6);
    return { ranMs: ran ?? 0, waitedMs: waited ?? 0 };
  } catch {
    return { ranMs: 0, waitedMs: 0 };
  }
}

function list(): ProcessInfo[] {
  return process.platform === 'linux' ? listByProc() : listByPs();
}

function listByProc(): ProcessInfo[] {
  const out: ProcessInfo[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      // A process that has ended and was not waited for yet has neither memory nor arguments.
      out.push({
        pid: Number(name),
        parentPid: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0),
        command,
        rssBytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024,
      });
    } catch {
      // Ended while we were reading.
    }
  }
  return out;
}

function listByPs(): ProcessInfo[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss=,args='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    if (match === null) return [];
    const [, pid, parentPid, rss, command = ''] = match;
    return [
      { pid: Number(pid), parentPid: Number(parentPid), command, rssBytes: Number(rss) * 1024 },
    ];
  });
}
