// Builds and starts the minimal OpenTelemetry Collector of otelcol/ (Go; needs its modules once).

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../free_port.ts';

const SOURCE = path.join(import.meta.dirname, 'otelcol');

/** The first build fetches and compiles some 300 packages. */
const BUILD_MS_MAX = 10 * 60_000;
const START_MS_MAX = 10_000;

export interface OtelCollector {
  readonly process: ChildProcess;
  readonly http: number;
  readonly grpc: number;
}

/**
 * Undefined where Go or its modules are not at hand: then there is no rival, and nothing is quoted.
 */
export async function startOtelCollector(): Promise<OtelCollector | undefined> {
  const binary = await build();
  if (binary === undefined) return undefined;
  const http = await freePort();
  const grpc = await freePort();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'spanhouse-bench-otelcol-'));
  const config = path.join(folder, 'config.yaml');
  await writeFile(config, configOf(http, grpc));
  const child = spawn(binary, ['--config', config], { stdio: 'ignore' });
  const endMs = performance.now() + START_MS_MAX;
  while (!((await answers(http)) && (await answers(grpc)))) {
    if (child.exitCode !== null || performance.now() > endMs) {
      child.kill();
      throw new Error(`The OpenTelemetry Collector did not start with ${config}.`);
    }
    await sleep(50);
  }
  return { process: child, http, grpc };
}

/** Limits as wide as ours, so that neither refuses what the other takes. */
function configOf(http: number, grpc: number): string {
  return `receivers:
  otlp:
    protocols:
      http: { endpoint: "127.0.0.1:${http}" }
      grpc: { endpoint: "127.0.0.1:${grpc}", max_recv_msg_size_mib: 64 }
exporters: { nop: {} }
service:
  telemetry: { metrics: { level: none }, logs: { level: error } }
  pipelines: { traces: { receivers: [otlp], exporters: [nop] } }
`;
}

async function build(): Promise<string | undefined> {
  const folder = path.join(os.tmpdir(), 'spanhouse-bench-otelcol');
  await mkdir(folder, { recursive: true });
  const binary = path.join(folder, 'otelcol');
  try {
    const options = { cwd: SOURCE, timeout: BUILD_MS_MAX };
    await promisify(execFile)('go', ['build', '-o', binary, '.'], options);
    return binary;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    console.warn(`No OpenTelemetry Collector to compare with (${reason}).`);
    return undefined;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
