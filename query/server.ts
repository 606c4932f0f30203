// The query service: reads what is stored, and answers in the APIs that tools already speak.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { DEFAULT_TENANT } from '../model/limits.ts';
import { type Clock, systemClock } from '../service/clock.ts';
import { type HttpLimits, type Listener, openHttp } from '../service/http_listener.ts';
import type { ListenAddress } from '../service/listen.ts';
import type { Log } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { Tls } from '../service/tls.ts';
import type { ArchiveWriter } from '../storage/clickhouse/archive.ts';
import { makeSelect, type QueryAccess, type SelectLimits } from '../storage/clickhouse/select.ts';
import { AnswerMemory } from './answer_memory.ts';
import { registerArchive } from './api/jaeger/archive_routes.ts';
import { type JaegerGrpcOptions, startJaegerGrpc } from './api/jaeger/grpc/server.ts';
import { registerJaegerMetrics } from './api/jaeger/metrics_routes.ts';
import { registerQuality } from './api/jaeger/quality_routes.ts';
import { registerJaeger } from './api/jaeger/routes.ts';
import { registerTransform } from './api/jaeger/transform_routes.ts';
import { registerJaegerV3 } from './api/jaeger/v3/routes.ts';
import { registerSpanhouse } from './api/spanhouse/routes.ts';
import { registerZipkin, ZIPKIN_SETTINGS, type ZipkinSettings } from './api/zipkin/routes.ts';
import { registerZipkinServer } from './api/zipkin/server_routes.ts';
import { registerUiConfig } from './api/zipkin/ui_config.ts';
import { Gate } from './gate.ts';
import type { QueryDeps } from './http_answer.ts';
import { createHttpApp, requestSeconds } from './http_app.ts';
import { type Addresses, landingPage } from './landing.ts';
import {
  type PageSettings,
  registerJaegerPage,
  registerZipkinPage,
  registerZipkinRedirects,
} from './stock_pages.ts';

export interface QueryOptions {
  readonly access: QueryAccess;
  readonly listen: ListenAddress;
  /** Jaeger's gRPC API; none unless told. */
  readonly grpc?: JaegerGrpcOptions;
  /** Zipkin's API, below /zipkin; ZIPKIN_SETTINGS unless told. */
  readonly zipkin?: ZipkinSettings;
  /** A port that answers as a Zipkin server does; none unless told. */
  readonly zipkinListen?: ListenAddress;
  /** Builds of other projects' pages to serve; none unless told. */
  readonly pages?: PageSettings;
  /** Ours, where an API tells it. */
  readonly version?: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What one statement may cost; SELECT_LIMITS unless told. */
  readonly selectLimits?: SelectLimits;
  /** Bytes of traces in memory for all answers together; ANSWER_BYTES_MAX unless told. */
  readonly answerBytesMax?: number;
  readonly http?: Partial<HttpLimits>;
  /** Host names beside the loopback ones that a loopback listener answers to. */
  readonly allowedHosts?: readonly string[];
  /** Ports of the receivers in this process, for the page at `/`. */
  readonly otlp?: Omit<Addresses, 'queryPort'>;
  readonly clock?: Clock;
  /** For Jaeger's APIs, in milliseconds; none unless told, as in Jaeger. */
  readonly clockSkewMsMax?: number;
  /** Writes what is archived; without it nothing can be. */
  readonly archive?: ArchiveWriter;
  /** Whose spans are shown; DEFAULT_TENANT unless told. */
  readonly tenant?: string;
  /** Plain listeners when absent. */
  readonly tls?: Tls;
}

export interface QueryListeners extends Listener {
  /** Of Jaeger's gRPC API, where it was asked for. */
  readonly grpc?: Listener;
  /** Of Zipkin's API on a port of its own, where that was asked for. */
  readonly zipkin?: Listener;
  /** Answers as a Zipkin server does, for a port that someone else has opened. */
  readonly asZipkin: Handler;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Resolves when the ports are open. Throws ListenError (service/listen.ts). */
export async function startQuery(options: QueryOptions): Promise<QueryListeners> {
  const deps = depsOf(options);
  const seconds = requestSeconds(options.metrics);
  const basePath = options.pages?.basePath ?? '';
  const main = createHttpApp(options.log, seconds, basePath);
  const zipkin = createHttpApp(options.log, seconds, basePath);
  let queryPort = options.listen.port;
  if (options.pages?.jaegerPath === undefined) {
    main.get('/', (_request, reply) =>
      reply.type('text/html; charset=utf-8').send(landingPage({ ...options.otlp, queryPort })),
    );
  }
  registerMain(main, options, deps);
  registerAsZipkin(zipkin, options, deps);
  await Promise.all([main.ready(), zipkin.ready()]);
  const opened: Listener[] = [];
  const stop = async (graceMs: number): Promise<void> => {
    await Promise.all(opened.map((listener) => listener.stop(graceMs)));
    await Promise.all([main.close(), zipkin.close()]);
  };
  const keep = async <T extends Listener>(opening: Promise<T>): Promise<T> => {
    const listener = await opening;
    opened.push(listener);
    return listener;
  };
  try {
    const listener = await keep(openApp(main, options.listen, options));
    queryPort = listener.port;
    const { grpc, zipkinListen } = options;
    return {
      ...listener,
      asZipkin: (request, response) => zipkin.routing(request, response),
      ...(grpc === undefined
        ? {}
        : {
            grpc: await keep(
              startJaegerGrpc(deps, options.metrics, { ...grpc, ...tlsOf(options) }),
            ),
          }),
      ...(zipkinListen === undefined
        ? {}
        : { zipkin: await keep(openApp(zipkin, zipkinListen, options)) }),
      stop,
    };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

function openApp(
  app: FastifyInstance,
  listen: ListenAddress,
  options: QueryOptions,
): Promise<Listener> {
  return openHttp({
    ...listen,
    handler: (request: IncomingMessage, response: ServerResponse) => app.routing(request, response),
    note: (message) => options.log.info(message),
    onBug: (error) => options.log.error('a query failed', { error }),
    ...(options.http === undefined ? {} : { limits: options.http }),
    ...tlsOf(options),
    ...(options.allowedHosts === undefined ? {} : { allowedHosts: options.allowedHosts }),
  });
}

function tlsOf({ tls }: QueryOptions): { readonly tls?: Tls } {
  return tls === undefined ? {} : { tls };
}

/** All APIs, on the port that people know from Jaeger. */
function registerMain(app: FastifyInstance, options: QueryOptions, deps: QueryDeps): void {
  registerJaeger(app, deps);
  registerJaegerMetrics(app, deps);
  registerArchive(app, deps);
  registerTransform(app, deps);
  registerQuality(app, deps);
  registerJaegerV3(app, deps);
  registerSpanhouse(app, deps);
  const settings = options.zipkin ?? ZIPKIN_SETTINGS;
  registerZipkin(app, deps, settings, '/zipkin/api/v2');
  registerUiConfig(app, settings);
  const pages = options.pages ?? {};
  registerZipkinPage(app, pages);
  registerJaegerPage(app, pages, {
    version: options.version ?? '',
    archiveStorage: options.archive !== undefined,
    metricsStorage: true,
  });
}

/** What a Zipkin server answers, where people know it from Zipkin. */
function registerAsZipkin(app: FastifyInstance, options: QueryOptions, deps: QueryDeps): void {
  const settings = options.zipkin ?? ZIPKIN_SETTINGS;
  registerZipkin(app, deps, settings, '/api/v2');
  registerZipkin(app, deps, settings, '/zipkin/api/v2');
  registerUiConfig(app, settings);
  registerZipkinServer(app, deps, options.metrics, options.version ?? '');
  registerZipkinPage(app, options.pages ?? {});
  registerZipkinRedirects(app, options.pages ?? {});
}

function depsOf(options: QueryOptions): QueryDeps {
  return {
    select: makeSelect(options.access, options.selectLimits),
    gate: new Gate(),
    memory: new AnswerMemory(options.answerBytesMax),
    tenant: options.tenant ?? DEFAULT_TENANT,
    clock: options.clock ?? systemClock,
    log: options.log,
    clockSkewNanosMax: BigInt(options.clockSkewMsMax ?? 0) * 1_000_000n,
    ...(options.archive === undefined ? {} : { archive: options.archive }),
  };
}
