// server.properties of one KRaft node that is broker and controller at once.

export interface NodePorts {
  /** Clients come here, perhaps through a proxy. */
  readonly external: number;
  /** Brokers among themselves, and tests that go around the proxy. */
  readonly internal: number;
  readonly controller: number;
  /** For clients that show a certificate; only where the broker is secured. */
  readonly mutual?: number;
}

export interface NodeSettings {
  /** From 1. */
  readonly id: number;
  readonly ports: NodePorts;
  /** Where clients are told to go: the external port, or a proxy's. */
  readonly advertisedPort: number;
  /** Controller ports of all nodes, in the order of their ids. */
  readonly controllers: readonly number[];
  readonly dataDirectory: string;
  /** More lines, or other values for those below. */
  readonly more: Readonly<Record<string, string>>;
}

/** Short timeouts: a killed broker is back in 6 s rather than 17 s. */
export function serverProperties(node: NodeSettings): string {
  const replicas = String(node.controllers.length);
  const insync = String(Math.min(2, node.controllers.length));
  const at = (port: number) => `127.0.0.1:${port}`;
  const { external, internal, controller, mutual } = node.ports;
  const more = mutual === undefined ? '' : `,MUTUAL://${at(mutual)}`;
  const values: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(node.id),
    'controller.quorum.voters': node.controllers
      .map((port, index) => `${index + 1}@${at(port)}`)
      .join(','),
    listeners: `EXTERNAL://${at(external)},INTERNAL://${at(internal)},CONTROLLER://${at(controller)}${more}`,
    'advertised.listeners': `EXTERNAL://${at(node.advertisedPort)},INTERNAL://${at(internal)}${more}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'EXTERNAL:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'INTERNAL',
    'log.dirs': node.dataDirectory,
    'default.replication.factor': replicas,
    'min.insync.replicas': insync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': insync,
    'transaction.state.log.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'auto.create.topics.enable': 'false',
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '300',
    'controller.quorum.election.timeout.ms': '500',
    'controller.quorum.fetch.timeout.ms': '1000',
    'controlled.shutdown.enable': 'false',
    'log.cleaner.dedupe.buffer.size': '2097152',
    'num.network.threads': '2',
    'num.io.threads': '4',
    ...node.more,
  };
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
