// The shop's deployments: each pod has its resource, as an SDK with Kubernetes detection would send
// it.

import type { Resource, Scope } from '../../model/span.ts';
import { attributes } from './attribute.ts';
import type { Random } from './random.ts';

export type Language = 'dotnet' | 'go' | 'java' | 'nodejs' | 'python';
export type Library = 'app' | 'http' | 'kafka' | 'redis' | 'sql';

interface Deployment {
  readonly language: Language;
  /** One pod each. */
  readonly versions: readonly string[];
}

const DEPLOYMENTS = {
  storefront: { language: 'nodejs', versions: ['3.2.0', '3.2.0'] },
  gateway: { language: 'go', versions: ['1.14.2', '1.14.2'] },
  checkout: { language: 'java', versions: ['5.0.3', '5.0.3'] },
  cart: { language: 'dotnet', versions: ['2.8.0', '2.8.0'] },
  catalog: { language: 'go', versions: ['4.1.0', '4.1.0', '4.1.0'] },
  // A release on its way: one pod of three runs the new version, and the new version is slow.
  payment: { language: 'java', versions: ['2.4.0', '2.4.0', '2.4.1'] },
  inventory: { language: 'python', versions: ['0.9.7', '0.9.7'] },
  shipping: { language: 'go', versions: ['1.3.1'] },
  email: { language: 'python', versions: ['1.0.5'] },
  recommendation: { language: 'python', versions: ['7.7.0', '7.7.0'] },
} as const satisfies Record<string, Deployment>;

export type ServiceName = keyof typeof DEPLOYMENTS;

/** The payment release that is slow. */
export const SLOW_PAYMENT_VERSION = '2.4.1';

export interface Pod {
  readonly service: ServiceName;
  readonly version: string;
  readonly language: Language;
  readonly name: string;
  readonly address: string;
  readonly resource: Resource;
  readonly scopes: Readonly<Record<Library, Scope>>;
}

export type Pods = Readonly<Record<ServiceName, readonly Pod[]>>;

const SDK_VERSIONS: Readonly<Record<Language, string>> = {
  dotnet: '1.15.0',
  go: '1.43.0',
  java: '1.58.0',
  nodejs: '2.6.0',
  python: '1.41.0',
};

const RUNTIMES: Readonly<Record<Language, string>> = {
  dotnet: '.NET',
  go: 'go',
  java: 'OpenJDK Runtime Environment',
  nodejs: 'nodejs',
  python: 'cpython',
};

const LIBRARIES: Readonly<Record<Language, Omit<Record<Library, string>, 'app'>>> = {
  dotnet: {
    http: 'Microsoft.AspNetCore',
    kafka: 'OpenTelemetry.Instrumentation.ConfluentKafka',
    redis: 'OpenTelemetry.Instrumentation.StackExchangeRedis',
    sql: 'Npgsql',
  },
  go: {
    http: 'go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp',
    kafka: 'github.com/twmb/franz-go/plugin/kotel',
    redis: 'github.com/redis/go-redis/extra/redisotel',
    sql: 'github.com/XSAM/otelsql',
  },
  java: {
    http: 'io.opentelemetry.tomcat-10.0',
    kafka: 'io.opentelemetry.kafka-clients-0.11',
    redis: 'io.opentelemetry.lettuce-5.1',
    sql: 'io.opentelemetry.jdbc',
  },
  nodejs: {
    http: '@opentelemetry/instrumentation-http',
    kafka: '@opentelemetry/instrumentation-kafkajs',
    redis: '@opentelemetry/instrumentation-redis',
    sql: '@opentelemetry/instrumentation-pg',
  },
  python: {
    http: 'opentelemetry.instrumentation.fastapi',
    kafka: 'opentelemetry.instrumentation.confluent_kafka',
    redis: 'opentelemetry.instrumentation.redis',
    sql: 'opentelemetry.instrumentation.psycopg',
  },
};

const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.37.0';

export function startPods(random: Random): Pods {
  const entries = Object.entries(DEPLOYMENTS) as [ServiceName, Deployment][];
  const started = entries.map(([service, deployment]) => {
    const replicaSet = random.hex(5).slice(0, 9);
    const pods = deployment.versions.map((version) =>
      startPod(random, service, version, deployment.language, replicaSet),
    );
    return [service, pods] as const;
  });
  return Object.fromEntries(started) as unknown as Pods;
}

function startPod(
  random: Random,
  service: ServiceName,
  version: string,
  language: Language,
  replicaSet: string,
): Pod {
  const name = `${service}-${replicaSet}-${random.hex(3).slice(0, 5)}`;
  const address = `10.42.${random.below(4)}.${2 + random.below(250)}`;
  const resource: Resource = {
    attributes: attributes({
      'service.name': service,
      'service.namespace': 'shop',
      'service.version': version,
      'service.instance.id': uuid(random),
      'deployment.environment.name': 'demo',
      'k8s.cluster.name': 'shop-demo',
      'k8s.namespace.name': 'shop',
      'k8s.deployment.name': service,
      'k8s.pod.name': name,
      'k8s.pod.uid': uuid(random),
      'k8s.node.name': `node-${1 + random.below(3)}`,
      'container.image.name': `shop/${service}`,
      'process.runtime.name': RUNTIMES[language],
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.language': language,
      'telemetry.sdk.version': SDK_VERSIONS[language],
    }),
    droppedAttributesCount: 0,
    schemaUrl: SCHEMA_URL,
  };
  return {
    service,
    version,
    language,
    name,
    address,
    resource,
    scopes: scopesOf(service, language),
  };
}

function scopesOf(service: ServiceName, language: Language): Readonly<Record<Library, Scope>> {
  const scope = (name: string, version: string): Scope => {
    return { name, version, attributes: [], droppedAttributesCount: 0, schemaUrl: SCHEMA_URL };
  };
  const { http, kafka, redis, sql } = LIBRARIES[language];
  return {
    app: scope(`shop.${service}`, ''),
    http: scope(http, '0.60.1'),
    kafka: scope(kafka, '0.60.1'),
    redis: scope(redis, '0.60.1'),
    sql: scope(sql, '0.60.1'),
  };
}

/** A random one, version 4 (RFC 9562). */
function uuid(random: Random): string {
  const hex = random.hex(16);
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
  return [...groups, `${variant}${hex.slice(17, 20)}`, hex.slice(20)].join('-');
}
