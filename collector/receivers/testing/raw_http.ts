// HTTP/1.1 by hand, so that a test can send what no client would.

import { connect, type Socket } from 'node:net';
import type { Rig } from './rig.ts';

export interface RawHttp {
  readonly socket: Socket;
  /** All that has come back once the other side has closed, or after `timeMs`. */
  closed(timeMs: number): Promise<string>;
}

export async function rawHttp(rig: Rig, text: string): Promise<RawHttp> {
  const socket = connect(rig.httpPort, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const close = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  socket.write(text);
  return {
    socket,
    closed: async (timeMs) => {
      const late = new Promise<void>((resolve) => setTimeout(resolve, timeMs).unref());
      await Promise.race([close, late]);
      socket.destroy();
      return received;
    },
  };
}

/** Resolves when `check` holds; throws after `timeMs`. */
export async function eventually(check: () => boolean, timeMs = 3000): Promise<void> {
  const end = performance.now() + timeMs;
  while (!check()) {
    if (performance.now() > end) throw new Error(`not within ${timeMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
