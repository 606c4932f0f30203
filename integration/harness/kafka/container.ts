// One Kafka broker in a container, where an engine answers.
import {
  GenericContainer,
  getContainerRuntimeClient,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import type { Kafka, KafkaOptions } from '../kafka.ts';
import { freePorts } from '../ports.ts';
import { TcpProxy } from '../tcp_proxy.ts';
import { brokersAnswer } from './answer.ts';
import { serverProperties } from './properties.ts';

const IMAGE = 'apache/kafka:4.4.0';
/** The image is a few hundred MB, and may have to be pulled. */
const START_MS = 300_000;
/** The image starts a broker with whatever settings lie here. */
const SETTINGS = '/mnt/shared/config/server.properties';
const DATA = '/tmp/kafka-data';

/** undefined where no container engine answers, which is known within milliseconds. */
export async function startContainer(options: KafkaOptions): Promise<Kafka | undefined> {
  const engine = await getContainerRuntimeClient().catch(() => undefined);
  if (engine === undefined) return undefined;
  const [external = 0, internal = 0, controller = 0] = await freePorts(3);
  const proxy =
    options.proxied === true
      ? await TcpProxy.start(() => ({ host: '127.0.0.1', port: external }))
      : undefined;
  const properties = serverProperties({
    id: 1,
    ports: { external, internal, controller },
    advertisedPort: proxy?.port ?? external,
    controllers: [controller],
    dataDirectory: DATA,
    more: {
      listeners: `EXTERNAL://0.0.0.0:${external},INTERNAL://0.0.0.0:${internal},CONTROLLER://127.0.0.1:${controller}`,
      ...options.settings,
    },
  });
  const container = await new GenericContainer(IMAGE)
    .withCopyContentToContainer([{ content: properties, target: SETTINGS }])
    // The same port inside and out: what a broker advertises must hold for both.
    .withExposedPorts(
      { container: external, host: external },
      { container: internal, host: internal },
    )
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(START_MS)
    .start();
  return containerKafka(engine, container, { external, internal }, proxy);
}

type Engine = Awaited<ReturnType<typeof getContainerRuntimeClient>>;

function containerKafka(
  engine: Engine,
  container: StartedTestContainer,
  ports: { readonly external: number; readonly internal: number },
  proxy: TcpProxy | undefined,
): Kafka {
  const handle = engine.container.getById(container.getId());
  return {
    bootstrap: proxy?.address ?? `127.0.0.1:${ports.external}`,
    direct: `127.0.0.1:${ports.internal}`,
    mutual: '',
    proxies: proxy === undefined ? [] : [proxy],
    breakable: true,
    pid: () => 0,
    kill: async () => {
      await handle.kill({ signal: 'SIGKILL' });
    },
    restart: async () => {
      await handle.start();
      await brokersAnswer(`127.0.0.1:${ports.internal}`, 1);
    },
    pause: async () => {
      await handle.pause();
    },
    resume: async () => {
      await handle.unpause();
    },
    stop: async () => {
      await container.stop();
      await proxy?.stop();
    },
  };
}
