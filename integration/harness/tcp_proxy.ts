// A TCP proxy that stands between a client and a server and misbehaves on demand: slow links, cut
// links, and answers that never arrive, which a kernel without netem cannot do for us.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Target {
  readonly host: string;
  readonly port: number;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/** Bytes read but not yet passed on, per direction of a connection; past it the reader is paused. */
const HELD_BYTES_MAX = 4 * 1024 * 1024;

export class TcpProxy {
  /** Each chunk, in both directions, is passed on this much later. */
  delayMs = 0;
  /** What the server answers is read and thrown away: requests arrive, replies are lost. */
  dropReplies = false;
  /** New connections are closed at once. */
  refuse = false;
  /** Bytes that the server sent and that were thrown away. */
  droppedBytes = 0;
  readonly #target: () => Target;
  readonly #links = new Set<Link>();
  readonly #server: Server;

  private constructor(target: () => Target) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** On 127.0.0.1; `target` is asked at each new connection. `port` 0 lets the system choose. */
  static async start(target: () => Target, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Closes every connection of the moment, as a restarted router does. */
  cut(): void {
    for (const { client, server } of this.#links) {
      client.destroy();
      server.destroy();
    }
  }

  /** Links behave again; what was cut stays cut, what was dropped is lost. */
  heal(): void {
    this.delayMs = 0;
    this.dropReplies = false;
    this.refuse = false;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    const target = this.refuse ? undefined : this.#where();
    if (target === undefined) {
      client.destroy();
      return;
    }
    const server = connect(target);
    server.on('error', () => undefined);
    const link = { client, server };
    this.#links.add(link);
    this.#pass(client, server, () => false);
    this.#pass(server, client, () => this.dropReplies);
    const end = () => {
      client.destroy();
      server.destroy();
      this.#links.delete(link);
    };
    client.once('close', end);
    server.once('close', end);
  }

  /** undefined while the server has no address, as when it is being started again. */
  #where(): Target | undefined {
    try {
      return this.#target();
    } catch {
      return undefined;
    }
  }

  #pass(from: Socket, to: Socket, drop: () => boolean): void {
    let heldBytes = 0;
    // One chunk after the other, so that a delay that changes does not change their order.
    let last = Promise.resolve();
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      if (drop()) {
        this.droppedBytes += chunk.length;
        return;
      }
      heldBytes += chunk.length;
      if (heldBytes > HELD_BYTES_MAX) from.pause();
      const dueMs = performance.now() + this.delayMs;
      last = last.then(async () => {
        await until(dueMs);
        if (to.writable && !to.write(chunk)) await drained(to);
        heldBytes -= chunk.length;
        if (heldBytes <= HELD_BYTES_MAX) from.resume();
      });
    });
    from.on('end', () => {
      last = last.then(() => {
        to.end();
      });
    });
  }
}

function until(dueMs: number): Promise<void> {
  const leftMs = dueMs - performance.now();
  if (leftMs <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, leftMs);
  });
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
