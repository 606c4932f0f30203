// One Kafka node as a child process: started, killed, stopped and continued by its own id.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type NodeSettings, serverProperties } from './properties.ts';

const run = promisify(execFile);

/** Enough for a failure's message; older text is dropped. */
const LOG_CHARACTERS_MAX = 50_000;
const FORMAT_MS = 60_000;
const STOP_MS = 15_000;

const JAVA = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export class KafkaNode {
  readonly settings: NodeSettings;
  readonly #jars: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #log = '';

  /** `folder` is this node's own; its data lies in it. */
  constructor(jars: string, folder: string, settings: NodeSettings) {
    this.settings = settings;
    this.#jars = jars;
    this.#folder = folder;
  }

  /** The id of the process, 0 when none runs. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What the broker wrote, newest last. */
  get log(): string {
    return this.#log;
  }

  /** Writes the settings and gives the data directory its cluster; once, before the first start. */
  async format(clusterId: string, more: readonly string[]): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const file = join(this.#folder, 'server.properties');
    writeFileSync(file, serverProperties(this.settings));
    const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file, ...more];
    const args = [...JAVA, '-cp', `${this.#jars}/*`, ...tool, '--ignore-formatted'];
    await run('java', args, { timeout: FORMAT_MS, cwd: this.#folder });
  }

  /** Spawns the broker; it serves some seconds later. */
  start(): void {
    if (this.#child !== undefined) throw new Error(`node ${this.settings.id} runs already`);
    const level = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
    const args = ['-Xmx256m', '-Xms64m', ...JAVA, level, '-cp', `${this.#jars}/*`];
    const child = spawn('java', [...args, 'kafka.Kafka', join(this.#folder, 'server.properties')], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_CHARACTERS_MAX);
      });
    }
    const killWithUs = () => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => {
      process.off('exit', killWithUs);
      if (this.#child === child) this.#child = undefined;
    });
    this.#child = child;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** SIGTERM, then kill -9 where that takes too long. */
  async stop(): Promise<void> {
    this.signal('SIGCONT');
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS);
    await this.#end('SIGTERM');
    clearTimeout(late);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
