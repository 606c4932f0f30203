// Entry of the child process that holds the embedded engine. Reads ChildOptions from its stdin,
// answers one line on its stdout, serves. It ends when its stdin does: an orphan would keep the
// data directory's lock.

import { EngineOpenError, openEngine } from './engine.ts';
import { type Front, startFront } from './front.ts';
import { type ChildOptions, type ChildReply, firstLine, STOP_LINE } from './handshake.ts';

async function main(): Promise<void> {
  const line = await firstLine(process.stdin);
  if (line === undefined) return endNow();
  // Before the engine opens: a parent that dies meanwhile must not leave us behind. SIGKILL, since
  // exit handlers would wait for queries under way; what was acknowledged is on disk.
  process.stdin.on('end', endNow);
  process.stdin.on('close', endNow);
  process.stdin.resume();
  const options = JSON.parse(line) as ChildOptions;
  let front: Front;
  try {
    front = await startFront(await openEngine(options), options);
  } catch (error) {
    const known = error instanceof EngineOpenError;
    const message = error instanceof Error ? error.message : String(error);
    reply({ error: known ? message : `The embedded engine did not start: ${message}` });
    process.exit(1);
  }
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void front.stop().finally(() => process.exit(0));
  };
  process.stdin.on('data', (chunk: Buffer) => {
    if (chunk.includes(STOP_LINE)) stop();
  });
  // Ctrl+C and service managers signal the whole process group; the parent still has spans to
  // insert then, and decides when we stop.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  reply({ port: front.port });
}

function reply(answer: ChildReply): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function endNow(): void {
  process.kill(process.pid, 'SIGKILL');
}

await main();
