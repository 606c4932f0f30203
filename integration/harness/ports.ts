import { createServer } from 'node:net';

// Below Linux's range for outgoing connections (32768 and up), so that no client takes a port
// between our look and the process's bind.
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const ATTEMPTS_MAX = 200;

/** `count` distinct TCP ports that are free on 127.0.0.1 and, where there is IPv6, on ::1. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt === ATTEMPTS_MAX)
      throw new Error(`found only ${ports.size} of ${count} free ports`);
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if ((await isFree(port, '127.0.0.1')) && (await isFree(port, '::1'))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      // A machine without IPv6 has nothing on ::1 that could be in the way.
      resolve(error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT');
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
