import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RawAnswer {
  readonly text: string;
  /** The other side closed the connection before we gave up. */
  readonly closed: boolean;
  readonly afterMs: number;
}

export interface RawOptions {
  /** Between two chunks. */
  readonly pauseMs?: number;
  /** After the last chunk, how long to wait for the other side to close. */
  readonly patienceMs?: number;
  /** End our side after the last chunk: a half body. */
  readonly hangUp?: boolean;
}

/** Sends bytes as they are, and collects what comes back until the other side closes. */
export async function sendRaw(
  port: number,
  chunks: readonly (string | Uint8Array)[],
  { pauseMs = 0, patienceMs = 2_000, hangUp = false }: RawOptions = {},
): Promise<RawAnswer> {
  const start = performance.now();
  const socket = connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  let closed = false;
  const end = new Promise<void>((resolve) => socket.once('close', resolve));
  socket.on('data', (chunk) => received.push(chunk));
  socket.once('end', () => {
    closed = true;
  });
  socket.on('error', () => {
    closed = true;
  });
  for (const chunk of chunks) {
    if (closed) break;
    socket.write(chunk);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  if (hangUp) socket.end();
  await Promise.race([end, sleep(patienceMs)]);
  const afterMs = performance.now() - start;
  socket.destroy();
  return { text: Buffer.concat(received).toString('latin1'), closed, afterMs };
}
