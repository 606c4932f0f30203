// One of our roles (`spanhouse collector`, `spanhouse ingester`) as a process of its own, on ports of
// its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free_port.ts';

export const MAIN = path.join(import.meta.dirname, '..', 'cli', 'main.ts');

const READY_MS_MAX = 60_000;
const POLL_MS = 50;

/** Opened and not used; anywhere, so that two processes may run at once. */
const UNUSED = [
  ...['zipkin', 'jaeger-grpc', 'jaeger-http', 'jaeger-compact', 'jaeger-binary'],
  ...['sampling-http', 'sampling-grpc'],
];

export interface Role {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly http: number;
  readonly grpc: number;
}

/** `flags` as on a command line. Throws when it is not ready in time; its words are on stderr. */
export async function startRole(
  role: 'collector' | 'ingester',
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Role> {
  const names = ['otlp-grpc', 'otlp-http', 'metrics', 'health'] as const;
  const ports = new Map<string, number>();
  for (const name of names) ports.set(name, await freePort());
  const port = (name: (typeof names)[number]): number => ports.get(name) ?? 0;
  const listen = [
    ...names.map((name) => `--listen-${name}=${port(name)}`),
    ...UNUSED.map((name) => `--listen-${name}=0`),
  ];
  const args = [MAIN, role, ...listen, '--listen-host=127.0.0.1', '--log-level=error'];
  const child = spawn(process.execPath, [...args, ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
  const endMs = performance.now() + READY_MS_MAX;
  while (!(await isReady(port('health')))) {
    if (child.exitCode !== null || performance.now() > endMs) {
      child.kill('SIGKILL');
      throw new Error(`spanhouse ${role} was not ready in time`);
    }
    await sleep(POLL_MS);
  }
  return { process: child, pid: child.pid ?? 0, http: port('otlp-http'), grpc: port('otlp-grpc') };
}

export async function stopRole(role: Role): Promise<void> {
  if (role.process.exitCode !== null) return;
  const gone = once(role.process, 'exit');
  role.process.kill('SIGTERM');
  await gone;
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
