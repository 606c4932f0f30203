// `spanhouse clickhouse` as a process, behind an address that stays the same when its engine is
// killed and comes back on another port.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { childrenOf } from './process_tree.ts';
import { REPOSITORY, runSpanhouse, temporaryDirectory } from './spanhouse.ts';
import { TcpProxy } from './tcp_proxy.ts';

const MAIN = join(REPOSITORY, 'cli/main.ts');

interface User {
  readonly user: string;
  readonly password: string;
}

interface AddressFile {
  readonly url: string;
  readonly ingest: User;
  readonly query: User;
}

export interface FrontOptions {
  /** Where the engine keeps its data, e.g. a small disk; else below a fresh directory. */
  readonly data?: string;
}

export class ClickHouseFront {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #file: string;
  readonly #proxy: TcpProxy;

  private constructor(child: ChildProcess, directory: string, file: string, proxy: TcpProxy) {
    this.#child = child;
    this.#directory = directory;
    this.#file = file;
    this.#proxy = proxy;
  }

  /** Starts the engine on a fresh directory, with our tables. */
  static async start({ data }: FrontOptions = {}): Promise<ClickHouseFront> {
    const directory = await temporaryDirectory();
    const args = [MAIN, 'clickhouse', '--storage-directory', data ?? join(directory, 'data')];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, XDG_RUNTIME_DIR: directory },
    });
    process.once('exit', () => child.kill('SIGKILL'));
    let file = '';
    for await (const line of createInterface(child.stdout)) {
      file = /^Users and passwords are in (.+)$/.exec(line)?.[1] ?? '';
      if (file !== '') break;
    }
    const proxy = await TcpProxy.start(() => {
      const { hostname, port } = new URL(addressIn(file).url);
      return { host: hostname, port: Number(port) };
    });
    const front = new ClickHouseFront(child, directory, file, proxy);
    const { code, output } = await runSpanhouse(['migrate', ...front.flags], front.env);
    if (code !== 0) throw new Error(`the tables were not made:\n${output}`);
    return front;
  }

  /** Of any role that reads or writes there. */
  get flags(): string[] {
    const { ingest, query } = addressIn(this.#file);
    return [
      `--clickhouse-url=http://${this.#proxy.address}`,
      `--clickhouse-user=${ingest.user}`,
      `--clickhouse-query-user=${query.user}`,
    ];
  }

  /** The passwords, which no flag takes. */
  get env(): Record<string, string> {
    const { ingest, query } = addressIn(this.#file);
    return {
      SPANHOUSE_CLICKHOUSE_PASSWORD: ingest.password,
      SPANHOUSE_CLICKHOUSE_QUERY_PASSWORD: query.password,
    };
  }

  get proxy(): TcpProxy {
    return this.#proxy;
  }

  /** kill -9 of the engine itself; it is started again on the same data, on another port. */
  killEngine(): void {
    for (const { pid } of childrenOf(this.#child.pid ?? 0)) process.kill(pid, 'SIGKILL');
  }

  /** Rows of a statement, as text values. */
  async rows(query: string): Promise<Record<string, string | number>[]> {
    const { ingest } = addressIn(this.#file);
    const answer = await fetch(`http://${this.#proxy.address}/?default_format=JSONEachRow`, {
      method: 'POST',
      body: query,
      headers: {
        'X-ClickHouse-User': ingest.user,
        'X-ClickHouse-Key': ingest.password,
      },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text.slice(0, 500));
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    await this.#proxy.stop();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

function addressIn(file: string): AddressFile {
  return JSON.parse(readFileSync(file, 'utf8')) as AddressFile;
}
