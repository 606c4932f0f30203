// The OpenTelemetry Collector of otelcol/ as a process: built once, run by the configuration that a
// user would write.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../harness/eventually.ts';
import { install } from '../otel/installation.ts';

const START_MS = 30_000;
/** For a failure's message. */
const LOG_CHARACTERS_MAX = 20_000;

export const OTEL_COLLECTOR = 'OpenTelemetry Collector 0.155.0';

export class OtelCollector {
  readonly #child: ChildProcess;
  readonly #directory: string;
  #log = '';

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.#directory = directory;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-LOG_CHARACTERS_MAX);
    });
  }

  /** Resolves when its receivers on `ports` answer. */
  static async start(config: object, ports: readonly number[]): Promise<OtelCollector> {
    const binary = await install('../compatibility/otelcol', [
      ['go', 'build', '-o', 'otelcol', '.'],
    ]);
    const directory = mkdtempSync(join(tmpdir(), 'spanhouse-otelcol-'));
    const file = join(directory, 'config.yaml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(config));
    const child = spawn(join(binary, 'otelcol'), ['--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    process.once('exit', () => child.kill('SIGKILL'));
    const collector = new OtelCollector(child, directory);
    try {
      for (const port of ports) {
        await eventually(`its port ${port}`, START_MS, () => answers(port));
      }
      return collector;
    } catch (cause) {
      await collector.stop();
      throw new Error(`The OpenTelemetry Collector did not start:\n${collector.#log}`, { cause });
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** True, or undefined for `eventually` to ask again. */
function answers(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(undefined));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
