// Runs inside a process under test, before its program; see mischief.ts.
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { Mischief } from './mischief.ts';

const file = process.env['MISCHIEF_FILE'] ?? '';
const realNow = Date.now.bind(Date);
const RealDate = Date;
let clockMs = 0;

function read(): Mischief {
  return JSON.parse(readFileSync(file, 'utf8')) as Mischief;
}

/** Told by a signal, so that a process that is started in the place of this one lives. */
function obey(): void {
  clockMs = read().clockMs ?? 0;
  if (read().reject === true) void Promise.reject(new Error('a test rejected this'));
}

class WrongDate extends RealDate {
  constructor(...given: readonly unknown[]) {
    // The arguments of Date are overloads; with some of them the clock is not asked.
    super(...((given.length === 0 ? [WrongDate.now()] : given) as [number]));
  }

  static override now(): number {
    return realNow() + clockMs;
  }
}

clockMs = read().clockMs ?? 0;
globalThis.Date = WrongDate as DateConstructor;
// Signals come to the main thread alone; workers keep the clock that they began with.
if (isMainThread) process.on('SIGUSR2', obey);
