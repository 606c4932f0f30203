// `spanhouse clickhouse` with our tables, as a process of its own.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { MAIN } from '../role.ts';

interface User {
  readonly user: string;
  readonly password: string;
}

interface Address {
  readonly url: string;
  readonly ingest: User;
  readonly query: User;
}

export interface BenchEngine {
  readonly pid: number;
  /** For the roles that write there. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The cells of a statement's rows, as text. */
  rows(sql: string): Promise<string[][]>;
  stop(): Promise<void>;
}

export async function startBenchEngine(): Promise<BenchEngine> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'spanhouse-bench-pipeline-'));
  const data = path.join(directory, 'data');
  const child = spawn(process.execPath, [MAIN, 'clickhouse', `--storage-directory=${data}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, XDG_RUNTIME_DIR: directory },
  });
  const { url, ingest, query } = await addressOf(child);
  const flags = [
    `--clickhouse-url=${url}`,
    `--clickhouse-user=${ingest.user}`,
    `--clickhouse-query-user=${query.user}`,
  ];
  const env = {
    SPANHOUSE_CLICKHOUSE_PASSWORD: ingest.password,
    SPANHOUSE_CLICKHOUSE_QUERY_PASSWORD: query.password,
  };
  execFileSync(process.execPath, [MAIN, 'migrate', ...flags], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return {
    pid: child.pid ?? 0,
    flags,
    env,
    rows: (sql) => rowsOf(url, query, sql),
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function addressOf(child: ChildProcess): Promise<Address> {
  if (child.stdout === null) throw new Error('Expected a child with a pipe as its stdout.');
  for await (const line of createInterface(child.stdout)) {
    const file = /^Users and passwords are in (.+)$/.exec(line)?.[1];
    if (file !== undefined) return JSON.parse(readFileSync(file, 'utf8')) as Address;
  }
  throw new Error('spanhouse clickhouse has ended without an address');
}

async function rowsOf(url: string, { user, password }: User, sql: string): Promise<string[][]> {
  const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password };
  const answer = await fetch(`${url}/?default_format=TSV`, { method: 'POST', body: sql, headers });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.slice(0, 500));
  return text.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')]));
}
