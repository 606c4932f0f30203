// Clients that never close, and TLS without a certificate: enough for handshakes that never end.

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Tls } from '../tls.ts';

export function quickHandshake(handshakeTimeout: number): Tls {
  const tls: Pick<Tls, 'options' | 'follow'> = {
    options: () => ({ handshakeTimeout }),
    follow: () => undefined,
  };
  return tls as Tls;
}

export interface NeverClosing {
  /** When the server has let go of it. */
  readonly closed: Promise<'closed'>;
}

/** Resolves when it is connected; sends `text` and never closes. */
export async function neverClosing(port: number, text: string): Promise<NeverClosing> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  socket.write(text);
  // A half that is closed is seen at once; that the other half is gone, only by writing into it.
  const prod = setInterval(() => socket.readableEnded && socket.write('x'), 50);
  const closed = new Promise<'closed'>((resolve) => {
    socket.on('close', () => {
      clearInterval(prod);
      resolve('closed');
    });
  });
  socket.on('error', () => undefined).resume();
  return { closed };
}
