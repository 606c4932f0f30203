// `npm run test:faults`: every test of Kafka, slow ones too, and the simulation; then the table of
// what each fault cost, on the screen and, where nothing failed, in docs/FAULTS.md. With words, the
// files that have one of them; with --table, the page alone, of what was found so far.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '../harness/spanhouse.ts';
import { type FaultResult, RESULTS, SOAK, type SoakResult } from './fault_results.ts';

const PAGE = join(REPOSITORY, 'docs/FAULTS.md');

function main(): number {
  const words = process.argv.slice(2);
  if (words[0] === '--table') return write();
  // A part of the tests replaces its own lines only.
  if (words.length === 0) rmSync(RESULTS, { recursive: true, force: true });
  const what = words.length === 0 ? ['integration/kafka', 'simulation'] : words;
  const args = [join(REPOSITORY, 'tools/test.ts'), '--full', ...what];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  console.log(`\n${table(readResults())}`);
  if (status !== 0) return status ?? 1;
  return write();
}

function write(): number {
  writeFileSync(PAGE, page(readResults(), readSoak()));
  console.log('written: docs/FAULTS.md');
  return 0;
}

function readResults(): FaultResult[] {
  if (!existsSync(RESULTS)) return [];
  return readdirSync(RESULTS)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as FaultResult);
}

function readSoak(): SoakResult | undefined {
  return existsSync(SOAK) ? (JSON.parse(readFileSync(SOAK, 'utf8')) as SoakResult) : undefined;
}

function table(results: readonly FaultResult[]): string {
  const rows = results.map(
    ({ id, fault, acknowledged, lost, doubled, longestRefusalMs, healMs }) =>
      `| ${id} | ${fault.replaceAll('|', '∣')} | ${acknowledged} | ${lost} | ${doubled} | ` +
      `${seconds(longestRefusalMs)} | ${seconds(healMs)} |`,
  );
  const head = '| | fault | spans acknowledged | lost | doubled | longest refusal | time to heal |';
  return [head, '|---|---|---|---|---|---|---|', ...rows].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function page(results: readonly FaultResult[], soak: SoakResult | undefined): string {
  const date = new Date().toISOString().slice(0, 10);
  return `# What faults cost

<!-- Made by \`npm run test:faults\` and \`npm run soak\`: do not edit. -->

Each fault was brought about under load on real processes: collector, Apache Kafka, ingester, the
ClickHouse engine, query. Then every acknowledged span was looked for. Run on ${date}, ${cpus().length} cores
that brokers, ClickHouse and senders shared; times are from a machine that did other things besides.

- **lost**: acknowledged and not stored whole. **doubled**: shown twice.
- **longest refusal**: from the first refusal of a request (or its lost answer) to its being taken.
- **time to heal**: from the end of the fault to senders being served and all of the log being stored.
- After each: records in the ledger = records in the log, spans in the ledger = rows in the table.

${table(results)}
${soak === undefined ? '' : soakText(soak)}`;
}

function soakText(soak: SoakResult): string {
  const kills = Object.entries(soak.kills).map(([name, count]) => `${name} ${count}`);
  const rows = soak.memory.map(
    (one) =>
      `| ${one.process} | ${one.firstMB} | ${one.lastMB} | ${one.maxMB} | ${one.slopeMBPerHour} |`,
  );
  return `
## Soak

${soak.minutes} minutes at ${soak.spansPerSecond} spans a second, kill -9 every 20 s (${kills.join(', ')}):
${soak.acknowledged} spans acknowledged, ${soak.lost} lost, ${soak.doubled} doubled, longest refusal ${seconds(soak.longestRefusalMs)}.
Resident memory of those that were not killed, after the first minute:

| process | first MB | last MB | most MB | MB an hour |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

process.exitCode = main();
