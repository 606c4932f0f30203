// Searches and traces by id: how quickly the query service answers, from HTTP request to last byte.
//
//   npm run bench -- search [--rows 2100000] [--fresh] [--only text]
//
// The corpus of bench/storage in an embedded engine, filled as the ingester fills it (--fresh: anew),
// and the query service above it, in this process. CPU is of both; `oursCpuMs` of this process alone,
// the client included.

import { readFile } from 'node:fs/promises';
import { Agent, get as httpGet } from 'node:http';
import { parseArgs } from 'node:util';
import { startQuery } from '../../query/server.ts';
import { silentLog } from '../../service/log.ts';
import { Metrics } from '../../service/metrics.ts';
import { makeSelect, type Select } from '../../storage/clickhouse/select.ts';
import { type Figure, quantile, writeReport } from '../report.ts';
import { openCorpus } from '../storage/corpus.ts';
import { openFilled } from './fill.ts';
import {
  apiQuestions,
  findQuestions,
  type Get,
  type Operation,
  type Question,
  traceQuestions,
} from './questions.ts';

const CONCURRENCIES = [1, 8];
/** The clock of /proc/<pid>/stat on Linux. */
const TICK_MS = 10;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: 'string', default: '2100000' },
      fresh: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const corpus = await openCorpus(Number(values.rows));
  const engine = await openFilled(corpus, values.fresh);
  const service = await startQuery({
    access: engine.access,
    listen: { host: '127.0.0.1', port: 0, setting: 'listen.query' },
    log: silentLog,
    metrics: new Metrics(),
  });
  const agent = new Agent({ keepAlive: true });
  try {
    const get = getter(agent, service.port);
    const select = makeSelect(engine.access);
    const operations = await operationsOf(select);
    const questions = [
      ...traceQuestions(get, corpus),
      ...findQuestions(select, operations),
      ...apiQuestions(get, operations),
    ].filter(({ name }) => name.includes(values.only));
    const figures: Figure[] = [];
    for (const question of questions) {
      for (const concurrency of CONCURRENCIES) {
        figures.push(await time(question, concurrency, engine.pid ?? 0));
      }
    }
    const parameters = { rows: corpus.rows, traces: corpus.traces };
    await writeReport({ name: 'search', parameters, figures, ratios: {} });
  } finally {
    agent.destroy();
    await service.stop(1000);
    await engine.stop();
  }
}

/** Runs of one question, `concurrency` at a time; the first is not counted, as it opens files. */
async function time(question: Question, concurrency: number, pid: number): Promise<Figure> {
  const { name, runs, ask, goalMs } = question;
  await ask(runs);
  const tookMs: number[] = [];
  const answers: number[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    for (let run = next++; run < runs; run = next++) {
      const start = performance.now();
      answers.push(await ask(run));
      tookMs.push(performance.now() - start);
    }
  };
  const ours = process.cpuUsage();
  const theirsMs = await engineCpuMs(pid);
  await Promise.all(Array.from({ length: concurrency }, one));
  const used = process.cpuUsage(ours);
  const p50Ms = quantile(tookMs, 0.5);
  return {
    question: name,
    concurrency,
    p50Ms,
    p95Ms: quantile(tookMs, 0.95),
    oursCpuMs: (used.user + used.system) / 1000 / runs,
    engineCpuMs: ((await engineCpuMs(pid)) - theirsMs) / runs,
    answerMean: answers.reduce((sum, n) => sum + n, 0) / runs,
    // Eight at a time on a few cores is a figure to know, not a goal.
    goal:
      concurrency > 1 || Number.isNaN(goalMs)
        ? ''
        : `${p50Ms <= goalMs ? 'met' : 'MISSED'}: ${goalMs}`,
  };
}

async function engineCpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
}

function getter(agent: Agent, port: number): Get {
  return (path) =>
    new Promise((resolve, reject) => {
      httpGet({ agent, host: '127.0.0.1', port, path }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on('end', () => {
          if (response.statusCode === 200) resolve(bytes);
          else reject(new Error(`Expected status 200 for ${path}, got ${response.statusCode}.`));
        });
        response.on('error', reject);
      }).on('error', reject);
    });
}

/** In an order of its own, so that neighbours differ in service. */
async function operationsOf(select: Select): Promise<readonly Operation[]> {
  const found: Operation[] = [];
  const sql = `SELECT service, name FROM {db:Identifier}.operations
GROUP BY service, name ORDER BY sipHash64(name)`;
  for (const block of await select({ sql, params: {} })) {
    const [services, names] = [block.strings('service'), block.strings('name')];
    for (let i = 0; i < block.rows; i++) {
      found.push({ service: services.at(i), name: names.at(i) });
    }
  }
  return found;
}

if (import.meta.main) await run(process.argv.slice(2));
