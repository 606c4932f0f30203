// A real Kafka for tests. Where it comes from, first that is there: the address in
// SPANHOUSE_TEST_KAFKA (which nobody can kill), a container engine (one broker), or Apache's own
// jars, run here. Readiness is asked of the brokers themselves.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka as Client, logLevel } from 'kafkajs';
import { eventually } from './eventually.ts';
import { brokersAnswer, READY_MS } from './kafka/answer.ts';
import { startContainer } from './kafka/container.ts';
import { kafkaJars } from './kafka/jars.ts';
import { KafkaNode } from './kafka/node.ts';
import type { Security } from './kafka/security.ts';
import { freePorts } from './ports.ts';
import { TcpProxy } from './tcp_proxy.ts';

export interface KafkaOptions {
  readonly brokers?: 1 | 3;
  /** Clients reach each broker through a proxy (`proxies`); tests go around it by `direct`. */
  readonly proxied?: boolean;
  /** Broker settings, e.g. { 'message.max.bytes': '2000000' }. Not for an external broker. */
  readonly settings?: Readonly<Record<string, string>>;
  /** TLS and passwords for clients; one broker, run from the jars. */
  readonly security?: Security;
}

/** Brokers are numbered from 1. */
export interface Kafka {
  /** `host:port,…` for clients; through the proxies where there are some. */
  readonly bootstrap: string;
  /** The same brokers, around the proxies. */
  readonly direct: string;
  /** Where a secured broker takes clients by their certificate; else empty. */
  readonly mutual: string;
  /** One a broker, when asked for; else empty. */
  readonly proxies: readonly TcpProxy[];
  /** False: an external broker, which can only be used. */
  readonly breakable: boolean;
  /** The process of a broker, 0 when none of ours runs. */
  pid(broker: number): number;
  /** kill -9. */
  kill(broker: number): Promise<void>;
  /** Starts it again on its ports and data; resolves when all brokers that should run answer. */
  restart(broker: number): Promise<void>;
  /** SIGSTOP: sockets stay open, nothing answers. */
  pause(broker: number): Promise<void>;
  resume(broker: number): Promise<void>;
  /** Ends everything and removes the data. */
  stop(): Promise<void>;
}

/** Resolves when every broker answers. Throws one sentence where no backend is there. */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const external = process.env['SPANHOUSE_TEST_KAFKA'];
  if (external !== undefined && external !== '') return externalKafka(external, options);
  if ((options.brokers ?? 1) === 1 && options.security === undefined) {
    const container = await startContainer(options);
    if (container !== undefined) {
      await brokersAnswer(container.direct, 1);
      return container;
    }
  }
  return LocalKafka.start(options);
}

async function externalKafka(bootstrap: string, options: KafkaOptions): Promise<Kafka> {
  const { proxied, settings, brokers, security } = options;
  const special = settings !== undefined || security !== undefined || brokers === 3;
  if (proxied === true || special) {
    throw new Error(
      'This test needs brokers of its own, and SPANHOUSE_TEST_KAFKA names one that is not: ' +
        'unset it, so that a container engine or the jars are used.',
    );
  }
  const no = (): Promise<void> =>
    Promise.reject(new Error('the broker of SPANHOUSE_TEST_KAFKA is not ours to break'));
  await eventually('the broker of SPANHOUSE_TEST_KAFKA', READY_MS, async () => {
    const admin = new Client({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.disconnect();
    return true;
  });
  return {
    bootstrap,
    direct: bootstrap,
    mutual: '',
    proxies: [],
    breakable: false,
    pid: () => 0,
    kill: no,
    restart: no,
    pause: no,
    resume: no,
    stop: () => Promise.resolve(),
  };
}

class LocalKafka implements Kafka {
  readonly breakable = true;
  readonly proxies: readonly TcpProxy[];
  readonly mutual: string;
  readonly #nodes: readonly KafkaNode[];
  readonly #folder: string;

  private constructor(nodes: readonly KafkaNode[], proxies: readonly TcpProxy[], folder: string) {
    this.#nodes = nodes;
    this.proxies = proxies;
    this.#folder = folder;
    const { mutual } = nodes[0]?.settings.ports ?? {};
    this.mutual = mutual === undefined ? '' : `127.0.0.1:${mutual}`;
  }

  static async start(options: KafkaOptions): Promise<LocalKafka> {
    const jars = await kafkaJars();
    const folder = await mkdtemp(join(tmpdir(), 'spanhouse-kafka-'));
    const count = options.brokers ?? 1;
    const ports = await freePorts(count * 4);
    const port = (index: number): number => ports[index] ?? 0;
    const proxies: TcpProxy[] = [];
    const controllers = Array.from({ length: count }, (_, i) => port(i * 4 + 2));
    const nodes: KafkaNode[] = [];
    for (let i = 0; i < count; i++) {
      const own = {
        external: port(i * 4),
        internal: port(i * 4 + 1),
        controller: port(i * 4 + 2),
        ...(options.security === undefined ? {} : { mutual: port(i * 4 + 3) }),
      };
      if (options.proxied === true) {
        proxies.push(await TcpProxy.start(() => ({ host: '127.0.0.1', port: own.external })));
      }
      const settings = {
        id: i + 1,
        ports: own,
        advertisedPort: proxies[i]?.port ?? own.external,
        controllers,
        dataDirectory: join(folder, `node-${i + 1}`, 'data'),
        more: { ...options.security?.settings, ...options.settings },
      };
      nodes.push(new KafkaNode(jars, join(folder, `node-${i + 1}`), settings));
    }
    const kafka = new LocalKafka(nodes, proxies, folder);
    try {
      await kafka.#open(options.security?.format ?? []);
      return kafka;
    } catch (error) {
      const said = nodes.map((node) => node.log).join('\n');
      await kafka.stop();
      throw new Error(`Kafka did not start:\n${said}`, { cause: error });
    }
  }

  async #open(format: readonly string[]): Promise<void> {
    // A zero first makes an A: what begins with a dash would be an option to Kafka's tool.
    const clusterId = Buffer.concat([Buffer.alloc(1), randomBytes(15)]).toString('base64url');
    await Promise.all(this.#nodes.map((node) => node.format(clusterId, format)));
    for (const node of this.#nodes) node.start();
    await this.#answer();
  }

  get bootstrap(): string {
    return this.#nodes.map(({ settings }) => `127.0.0.1:${settings.advertisedPort}`).join(',');
  }

  get direct(): string {
    return this.#nodes.map(({ settings }) => `127.0.0.1:${settings.ports.internal}`).join(',');
  }

  pid(broker: number): number {
    return this.#node(broker).pid;
  }

  kill(broker: number): Promise<void> {
    return this.#node(broker).kill();
  }

  async restart(broker: number): Promise<void> {
    this.#node(broker).start();
    await this.#answer();
  }

  async pause(broker: number): Promise<void> {
    this.#node(broker).signal('SIGSTOP');
  }

  async resume(broker: number): Promise<void> {
    this.#node(broker).signal('SIGCONT');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    await Promise.all(this.proxies.map((proxy) => proxy.stop()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #node(broker: number): KafkaNode {
    const node = this.#nodes[broker - 1];
    if (node === undefined) throw new Error(`there are ${this.#nodes.length} brokers, from 1`);
    return node;
  }

  async #answer(): Promise<void> {
    const running = this.#nodes.filter((node) => node.pid !== 0);
    const direct = running.map(({ settings }) => `127.0.0.1:${settings.ports.internal}`);
    await brokersAnswer(direct.join(','), running.length);
  }
}
