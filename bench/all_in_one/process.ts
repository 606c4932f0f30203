// The real `spanhouse all-in-one` as a process of its own, with ports and a data directory of its
// own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free_port.ts';

const MAIN = path.join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

/** The goal is 3 s; a process that is not ready after this will not be. */
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 40_000;
const POLL_MS = 10;

export interface AllInOne {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly http: number;
  readonly grpc: number;
  readonly query: number;
  /** From the start of the process to the first OK of /readyz. */
  readonly readyMs: number;
}

const UNUSED = ['zipkin', 'jaeger-grpc', 'jaeger-http', 'jaeger-compact', 'jaeger-binary'].concat([
  'sampling-http',
  'sampling-grpc',
]);

export async function makeDataDirectory(): Promise<string> {
  return mkdtemp(path.join(os.tmpdir(), 'spanhouse-bench-data-'));
}

export async function removeDataDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** Throws when it ends or is not ready in time; its own words are on stderr. */
export async function startAllInOne(directory: string): Promise<AllInOne> {
  const names = ['otlp-grpc', 'otlp-http', 'query', 'metrics', 'health'] as const;
  const ports = new Map<string, number>();
  for (const name of names) ports.set(name, await freePort());
  const port = (name: (typeof names)[number]): number => ports.get(name) ?? 0;
  const listen = names.flatMap((name) => [`--listen-${name}`, String(port(name))]);
  // The system chooses the ports that no benchmark of the whole process needs.
  for (const name of UNUSED) listen.push(`--listen-${name}`, '0');
  const settings = ['--listen-host', '127.0.0.1', '--storage-directory', directory];
  const args = [MAIN, 'all-in-one', ...listen, ...settings, '--log-level', 'warn'];
  const startMs = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error('spanhouse all-in-one could not be started.');
  while (!(await isReady(port('health')))) {
    const elapsedMs = performance.now() - startMs;
    if (child.exitCode !== null || elapsedMs > READY_MS_MAX) {
      child.kill('SIGKILL');
      throw new Error(`spanhouse all-in-one was not ready after ${Math.round(elapsedMs)} ms.`);
    }
    await sleep(POLL_MS);
  }
  const readyMs = performance.now() - startMs;
  const [http, grpc, query] = [port('otlp-http'), port('otlp-grpc'), port('query')];
  return { process: child, pid, http, grpc, query, readyMs };
}

/** SIGTERM and wait, as an operator would; returns how long it took. Killed after 40 s. */
export async function stopAllInOne(server: AllInOne): Promise<number> {
  if (server.process.exitCode !== null || server.process.signalCode !== null) return 0;
  const startMs = performance.now();
  const exited = once(server.process, 'exit');
  server.process.kill('SIGTERM');
  const killer = setTimeout(() => server.process.kill('SIGKILL'), STOP_MS_MAX);
  await exited;
  clearTimeout(killer);
  return performance.now() - startMs;
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
