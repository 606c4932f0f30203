// Every setting, once. Flags, environment names, YAML keys, --help, `config print` and
// docs/CONFIGURATION.md all come from here. Durations are milliseconds in code, sizes are bytes.

import { homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import {
  type Address,
  address,
  addressOrOff,
  choice,
  count,
  days,
  duration,
  list,
  size,
  text,
  url,
} from './config_values.ts';
import { KAFKA_SETTINGS } from './kafka_settings.ts';
import type { ListenAddress } from './listen.ts';
import { infoOf, type SettingInfo, setting } from './setting.ts';

export const CONFIG_SCHEMA = z.strictObject({
  listen: z.strictObject({
    host: setting(
      text('a host name or address', /^[A-Za-z0-9._:-]{1,253}$/),
      'localhost',
      'Where every port below is opened. localhost is 127.0.0.1 and ::1; 0.0.0.0 or :: is everyone.',
    ),
    otlp_grpc: setting(address, '4317', 'OTLP over gRPC.'),
    otlp_http: setting(address, '4318', 'OTLP over HTTP, POST /v1/traces.'),
    zipkin: setting(
      address,
      '9411',
      'Zipkin: POST /api/v2/spans and /api/v1/spans, and gRPC SpanService/Report on the same port.',
    ),
    jaeger_grpc: setting(address, '14250', 'Jaeger over gRPC: PostSpans, and remote sampling.'),
    jaeger_http: setting(address, '14268', 'Jaeger: Thrift over HTTP, POST /api/traces.'),
    jaeger_compact: setting(address, '6831', 'Jaeger over UDP, where clients send compact Thrift.'),
    jaeger_binary: setting(
      address,
      '6832',
      'Jaeger over UDP, where clients send binary Thrift. Both are understood on either port.',
    ),
    sampling_http: setting(address, '5778', 'Remote sampling over HTTP, GET /sampling?service=.'),
    sampling_grpc: setting(address, '5779', 'Remote sampling over gRPC.'),
    query: setting(address, '16686', 'The query API.'),
    query_grpc: setting(address, '16685', "Jaeger's query API over gRPC."),
    zipkin_query: setting(
      addressOrOff,
      'off',
      "A port of its own for Zipkin's query API and page, such as 9411 in `spanhouse query`. " +
        'They are below /zipkin on listen.query anyway, and all-in-one has them on listen.zipkin.',
    ),
    metrics: setting(address, '8888', 'Prometheus metrics, GET /metrics.'),
    health: setting(address, '13133', 'Health: /healthz is alive, /readyz is ready to serve.'),
  }),
  http: z.strictObject({
    allowed_hosts: setting(
      list('host names, such as traces.example.org or *.example.org', /^(\*\.)?[A-Za-z0-9._-]+$/),
      '',
      'Host names that listeners on loopback answer to, beside the loopback ones.',
    ),
    cors_origins: setting(
      list('origins, such as https://app.example.org', /^https?:\/\/[A-Za-z0-9._-]+(:\d{1,5})?$/),
      '',
      'Web origins that may send spans from a browser. Empty: none (CORS off).',
    ),
  }),
  tls: z.strictObject({
    cert: setting(
      text('a file'),
      '',
      'The certificate of all receivers and of the query API, PEM, read again when it changes. Empty: ' +
        'no TLS. Metrics and health stay plain.',
    ),
    key: setting(text('a file'), '', 'Its private key, PEM.'),
    client_ca: setting(
      text('a file'),
      '',
      'Authorities, PEM: only clients with a certificate of theirs may connect. Empty: any client.',
    ),
  }),
  jaeger: z.strictObject({
    udp_buffer: setting(
      size('64KiB', '1GiB'),
      '4MiB',
      'Datagrams that wait in the kernel, for each UDP port; it caps this at net.core.rmem_max.',
    ),
  }),
  zipkin: z.strictObject({
    strict_trace_id: setting(
      choice('true', 'false'),
      'true',
      'false: traces whose ids end in the same 64 bits are shown as one, where some services send ' +
        '64 bits and others 128.',
    ),
    lookback: setting(
      duration('1m', '3650d'),
      '1d',
      'How far a Zipkin search looks back that does not say so.',
    ),
    autocomplete_keys: setting(
      list('keys of tags', /^[^,\s]{1,256}$/),
      '',
      "Tags whose values Zipkin's search form offers.",
    ),
  }),
  sampling: z.strictObject({
    strategies: setting(
      text('a path or an http:// or https:// URL'),
      '',
      "A file of sampling strategies (YAML or JSON, Jaeger's fields), read again when it changes.",
    ),
    default_probability: setting(
      text('a number from 0 to 1', /^(0(\.\d{1,9})?|1(\.0{1,9})?|\.\d{1,9})$/),
      '0.001',
      'The share of traces to keep for services that no strategy names.',
    ),
    reload_interval: setting(
      duration('100ms', '1d'),
      '5s',
      'How often the strategies are looked at for changes.',
    ),
  }),
  limits: z.strictObject({
    request_bytes: setting(
      size('1KiB', '64MiB'),
      '64MiB',
      'One request, after decompression (the default of OTLP 1.11).',
    ),
    connections: setting(
      count(1, 100_000),
      '1000',
      'Connections on one port; a further one is closed. Each costs some 10 to 60 KiB.',
    ),
    concurrent_streams: setting(
      count(1, 10_000),
      '100',
      'Calls at once on one gRPC connection (what RFC 9113 advises as the least).',
    ),
    header_bytes: setting(size('1KiB', '1MiB'), '16KiB', 'All headers of one HTTP request.'),
    header_time: setting(
      duration('100ms', '5m'),
      '10s',
      'From the first byte of an HTTP request to the end of its headers.',
    ),
    request_time: setting(
      duration('1s', '10m'),
      '60s',
      'From the first byte of an HTTP request to the end of its body.',
    ),
    idle_time: setting(
      duration('1s', '1h'),
      '2m',
      'How long an idle connection is kept; above the 5 to 60 s at which exporters send.',
    ),
    connection_age: setting(
      duration('10s', '7d'),
      '10m',
      'A gRPC connection is asked to reconnect after this, so that load spreads to new replicas.',
    ),
  }),
  memory: z.strictObject({
    limit: setting(
      size('16MiB', '1TiB'),
      '512MiB',
      'Bytes of requests in flight; past it senders are told to try again later.',
    ),
  }),
  retention: setting(
    days('1d', '3650d'),
    '30d',
    'How long spans are kept; spans that arrive older than this are rejected and counted.',
  ),
  storage: z.strictObject({
    directory: setting(
      text('a directory'),
      dataHome,
      'Where the embedded ClickHouse engine keeps its data.',
      { fallbackText: 'spanhouse in the data home of the user' },
    ),
  }),
  clickhouse: z.strictObject({
    url: setting(url, '', 'A ClickHouse server. Empty: the embedded engine.'),
    user: setting(text('a user name'), 'default', 'The user that writes and migrates.'),
    password: setting(text('a password'), '', 'Its password.', { secret: true }),
    database: setting(
      text('a name of letters, digits and _', /^[A-Za-z_][A-Za-z0-9_]{0,62}$/),
      'spanhouse',
      'The database; `migrate` creates it.',
    ),
    query_user: setting(
      text('a user name'),
      '',
      'A user with fewer rights that queries run as. Empty: clickhouse.user.',
    ),
    query_password: setting(text('a password'), '', 'Its password.', { secret: true }),
    cluster: setting(
      text('a name of letters, digits and _', /^([A-Za-z_][A-Za-z0-9_]{0,62})?$/),
      '',
      'The cluster to migrate, for replicated tables. Empty: a single server.',
    ),
    memory: setting(
      size('512MiB', '1TiB'),
      engineMemory,
      'Memory that the embedded engine may use.',
      { fallbackText: 'a quarter of the machine, from 512MiB to 2GiB' },
    ),
  }),
  kafka: KAFKA_SETTINGS,
  ingester: z.strictObject({
    instance: setting(
      text('a name of letters, digits and . _ -', /^[A-Za-z0-9._-]{0,249}$/),
      '',
      'A name that outlives a restart, such as the pod of a StatefulSet: it gets its partitions back.',
    ),
    session_time: setting(
      duration('1s', '10m'),
      '10s',
      'An ingester that is silent for so long loses its partitions to the others.',
    ),
    foreign_tenant: setting(
      text('a tenant', /^[A-Za-z0-9._-]{0,128}$/),
      '',
      "The topic is written by others: every record is this tenant's, whatever its headers say.",
    ),
  }),
  settle: z.strictObject({
    enabled: setting(
      choice('true', 'false'),
      'true',
      'Count calls between services and durations by minute once, a while after they happened; ' +
        'where false, they are counted from spans each time that somebody asks.',
    ),
    delay: setting(
      duration('2m', '1d'),
      '2m',
      'How long after the end of its five minutes that is done; later spans have it done again.',
    ),
  }),
  query: z.strictObject({
    max_time: setting(duration('100ms', '10m'), '30s', 'The longest that one query may run.'),
    max_rows: setting(
      count(1000, 1_000_000_000_000),
      '1000000000',
      'Rows that one query may read before it is refused.',
    ),
    max_clock_skew: setting(
      duration('0ms', '1d'),
      '0ms',
      "How far Jaeger's APIs may move a span of another host, so that it fits into its parent. " +
        '0ms: not at all; they only say what they would do.',
    ),
    archive: setting(
      choice('auto', 'true', 'false'),
      'auto',
      'Whether traces can be archived, written as clickhouse.user. auto: in all-in-one only.',
    ),
  }),
  ui: z.strictObject({
    jaeger_path: setting(
      text('a folder'),
      '',
      "A build of Jaeger's page (jaeger-ui) to serve on listen.query. Empty: none.",
    ),
    jaeger_config: setting(
      text('a file'),
      '',
      'What that page is told of menus, links and the like: a JSON object as its documentation has it.',
    ),
    zipkin_path: setting(
      text('a folder'),
      '',
      "A build of Zipkin's page (zipkin-lens) to serve below /zipkin/. Empty: none.",
    ),
    base_path: setting(
      text('a path such as /tracing', /^(\/[A-Za-z0-9._~-]{1,64}){0,8}$/),
      '',
      'Where a proxy shows the query service; all of it answers there and at the root.',
    ),
  }),
  log: z.strictObject({
    level: setting(choice('debug', 'info', 'warn', 'error'), 'info', 'The least that is logged.'),
    format: setting(
      choice('auto', 'json', 'text'),
      'auto',
      'auto is text on a terminal and JSON elsewhere.',
    ),
  }),
  shutdown: z.strictObject({
    grace: setting(
      duration('0s', '10m'),
      '25s',
      'After SIGTERM, the time to finish what runs; below the 30 s of Kubernetes.',
    ),
  }),
});

export type Config = z.output<typeof CONFIG_SCHEMA>;

export interface Setting extends SettingInfo {
  /** `listen.otlp_http`: the key in a file, and the name in every message. */
  readonly name: string;
  /** `listen-otlp-http`; undefined for a secret. */
  readonly flag: string | undefined;
  /** `SPANHOUSE_LISTEN_OTLP_HTTP` */
  readonly env: string;
}

/** All settings, in the order in which documents list them. */
export const SETTINGS: readonly Setting[] = settingsOf(CONFIG_SCHEMA, '');

/** The address of one listener, its host filled in from listen.host. */
export function listenAddress(
  config: Config,
  port: Exclude<keyof Config['listen'], 'host' | 'zipkin_query'>,
): ListenAddress {
  const at: Address = config.listen[port];
  return { host: at.host ?? config.listen.host, port: at.port, setting: `listen.${port}` };
}

/** The same for the listener that may be off: undefined then. */
export function zipkinQueryAddress(config: Config): ListenAddress | undefined {
  const at = config.listen.zipkin_query;
  if (at === 'off') return undefined;
  return { host: at.host ?? config.listen.host, port: at.port, setting: 'listen.zipkin_query' };
}

function settingsOf(section: z.ZodObject, prefix: string): Setting[] {
  return Object.entries(section.shape).flatMap(([key, schema]) => {
    const name = `${prefix}${key}`;
    if (schema instanceof z.ZodObject) return settingsOf(schema, `${name}.`);
    const known = infoOf(schema as z.ZodType);
    if (known === undefined) throw new Error(`${name} is no setting`);
    return [
      {
        ...known,
        name,
        flag: known.secret ? undefined : name.replace(/[._]/g, '-'),
        env: `SPANHOUSE_${name.replace(/\./g, '_').toUpperCase()}`,
      },
    ];
  });
}

/** A laptop has other things to do; below 512 MiB the engine cannot merge. */
function engineMemory(): string {
  const quarterMiB = Math.floor(totalmem() / 4 / 2 ** 20);
  return `${Math.min(2048, Math.max(512, quarterMiB))}MiB`;
}

/** XDG base directories on Unix; macOS keeps such data in Application Support. */
function dataHome(env: NodeJS.ProcessEnv): string {
  const home = env['HOME'] ?? homedir();
  if (env['XDG_DATA_HOME']?.startsWith('/')) return join(env['XDG_DATA_HOME'], 'spanhouse');
  if (process.platform === 'darwin') {
    return join(home, 'Library', 'Application Support', 'spanhouse');
  }
  return join(home, '.local', 'share', 'spanhouse');
}
