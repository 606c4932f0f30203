// What every benchmark leaves behind: a table for the reader, and JSON with the machine and the
// date. Figures of another machine or day compare only by their ratios, so rivals run in the same
// run.

import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const RESULTS_FOLDER = path.join(import.meta.dirname, 'results');

export type Cell = string | number | boolean;

/** One line of a table: column name to value. Put the unit last in a name: `latencyP99Ms`. */
export type Figure = Readonly<Record<string, Cell>>;

export interface Report {
  /** Also the file's name: lower-case letters, digits and dashes. */
  readonly name: string;
  /** What the run was given: sizes, seconds, seeds. */
  readonly parameters: Figure;
  readonly figures: readonly Figure[];
  /**
   * Ours divided by the rival's of the same run, e.g. `{ 'wasm check / protobufjs decode': 28 }`.
   */
  readonly ratios: Readonly<Record<string, number>>;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Of the minute before the run: above a tenth of the cores, others were at work too. */
  readonly loadAverageBefore: number;
}

/** Read when the benchmark is loaded, before it makes load itself. */
const LOAD_AVERAGE_BEFORE = os.loadavg()[0] ?? 0;

/** Prints the report and writes `bench/results/<name>.json`; returns the file's path. */
export async function writeReport(report: Report): Promise<string> {
  if (!/^[a-z0-9-]+$/.test(report.name)) {
    throw new Error(`A report's name has lower-case letters, digits and dashes: ${report.name}`);
  }
  console.log(`\n${report.name}  (${describeParameters(report.parameters)})\n`);
  console.log(renderTable(report.figures));
  const ratios = Object.entries(report.ratios);
  for (const [what, ratio] of ratios) console.log(`  ${what}: ${formatCell(ratio)}×`);
  await mkdir(RESULTS_FOLDER, { recursive: true });
  const file = path.join(RESULTS_FOLDER, `${report.name}.json`);
  const { name, parameters, figures } = report;
  const content = { name, date: new Date().toISOString(), machine: thisMachine(), parameters };
  const json = JSON.stringify({ ...content, figures, ratios: report.ratios }, null, 2);
  await writeFile(file, `${json}\n`);
  console.log(`\n  written to ${path.relative(process.cwd(), file)}`);
  return file;
}

export function thisMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.platform()} ${os.arch()} ${os.release()}`,
    node: process.version,
    loadAverageBefore: Math.round(LOAD_AVERAGE_BEFORE * 100) / 100,
  };
}

/** Columns in order of first appearance; numbers to the right, text to the left. */
export function renderTable(figures: readonly Figure[]): string {
  const columns = [...new Set(figures.flatMap((figure) => Object.keys(figure)))];
  const rows = figures.map((figure) => columns.map((column) => formatCell(figure[column] ?? '')));
  const width = (i: number): number =>
    Math.max(columns[i]?.length ?? 0, ...rows.map((row) => row[i]?.length ?? 0));
  const numeric = columns.map((column) => figures.some((f) => typeof f[column] === 'number'));
  const line = (cells: readonly string[]): string =>
    cells.map((c, i) => (numeric[i] ? c.padStart(width(i)) : c.padEnd(width(i)))).join('  ');
  const rule = columns.map((_, i) => '-'.repeat(width(i)));
  return [columns, rule, ...rows].map((cells) => `  ${line(cells).trimEnd()}`).join('\n');
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value at rank `share` (0 to 1) of `values`, by nearest rank; 0 of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
  return sorted[Math.max(0, rank)] ?? 0;
}

/** Three significant digits below 100, whole numbers above: nobody's machine is steadier. */
export function formatCell(cell: Cell): string {
  if (typeof cell !== 'number') return String(cell);
  if (!Number.isFinite(cell)) return '-';
  if (Math.abs(cell) >= 100) return Math.round(cell).toLocaleString('en-US');
  return String(Number(cell.toPrecision(3)));
}

function describeParameters(parameters: Figure): string {
  const parts = Object.entries(parameters).map(([name, value]) => `${name} ${formatCell(value)}`);
  return parts.join(', ');
}
