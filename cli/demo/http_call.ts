// HTTP between services, with the attributes of OpenTelemetry's stable HTTP conventions (1.23 and
// later).

import type { Operation, TraceDraft } from './operation.ts';
import type { Pod, ServiceName } from './pods.ts';

const SERVICE_PORT = 8080;

export interface HttpRequest {
  readonly to: ServiceName;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** The template, e.g. `/products/{id}`. */
  readonly route: string;
  /** What was really asked for, e.g. `/products/4711`. */
  readonly path: string;
  /** Default: any pod of the service. */
  readonly pod?: Pod;
}

/** Does the server's work in the operation it is given; the result is the response's status. */
export type Handler = (server: Operation) => number;

/** A browser's request: the server span is the trace's root. */
export function httpRoot(trace: TraceDraft, request: HttpRequest, handler: Handler): number {
  const pod = request.pod ?? trace.random.pick(trace.pods[request.to]);
  const agent = trace.random.pick(USER_AGENTS);
  const client = `203.0.113.${1 + trace.random.below(250)}`;
  const server = trace.start(undefined, pod, serverStart(request, pod, client, agent), 0);
  return serve(server, handler);
}

/** A client span here, a server span there, and the network's time on both sides of it. */
export function httpCall(caller: Operation, request: HttpRequest, handler: Handler): number {
  const pod = request.pod ?? caller.random.pick(caller.trace.pods[request.to]);
  let status = 0;
  const start = {
    name: `${request.method} ${request.route}`,
    kind: 3 as const,
    library: 'http' as const,
    attributes: {
      'http.request.method': request.method,
      'url.full': `http://${request.to}.shop.svc.cluster.local:${SERVICE_PORT}${request.path}`,
      'url.template': request.route,
      'server.address': `${request.to}.shop.svc.cluster.local`,
      'server.port': SERVICE_PORT,
      'network.peer.address': pod.address,
      'network.protocol.version': '1.1',
    },
  };
  caller.child(start, (client) => {
    client.work(0.35);
    const arriving = serverStart(request, pod, caller.pod.address, AGENTS[caller.pod.language]);
    client.child({ ...arriving, pod }, (server) => {
      status = serve(server, handler);
    });
    client.work(0.3);
    finishClient(client, status);
  });
  return status;
}

export interface ExternalRequest {
  readonly host: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly status: number;
  readonly medianMs: number;
  /** Set on a repeated try: how often it was sent before. */
  readonly resendCount?: number;
}

/** A call to somebody else's service, which sends no spans of its own. */
export function externalCall(caller: Operation, request: ExternalRequest): void {
  const start = {
    name: `${request.method} ${request.path}`,
    kind: 3 as const,
    library: 'http' as const,
    attributes: {
      'http.request.method': request.method,
      'http.request.resend_count': request.resendCount,
      'url.full': `https://${request.host}${request.path}`,
      'url.template': request.path,
      'server.address': request.host,
      'server.port': 443,
      'network.protocol.version': '2',
    },
  };
  caller.child(start, (client) => {
    client.work(request.medianMs);
    finishClient(client, request.status);
  });
}

function serverStart(request: HttpRequest, pod: Pod, client: string, agent: string) {
  return {
    name: `${request.method} ${request.route}`,
    kind: 2 as const,
    library: 'http' as const,
    pod,
    attributes: {
      'http.request.method': request.method,
      'http.route': request.route,
      'url.path': request.path,
      'url.scheme': 'http',
      'server.address': `${request.to}.shop.svc.cluster.local`,
      'server.port': SERVICE_PORT,
      'client.address': client,
      'network.protocol.version': '1.1',
      'user_agent.original': agent,
    },
  };
}

/**
 * By the convention a server's 4xx is the client's fault: only 5xx makes the server span an error.
 */
function serve(server: Operation, handler: Handler): number {
  const status = handler(server);
  server.set({ 'http.response.status_code': status });
  // An exception's class tells more than the status.
  if (status >= 500 && !server.failed) server.fail(String(status));
  return status;
}

function finishClient(client: Operation, status: number): void {
  client.set({ 'http.response.status_code': status });
  if (status >= 400) client.fail(String(status));
}

const AGENTS = {
  dotnet: 'cart/2.8.0 (.NET 10.0)',
  go: 'Go-http-client/1.1',
  java: 'Java-http-client/25',
  nodejs: 'undici',
  python: 'python-httpx/0.28.1',
} as const;

const USER_AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36',
] as const;
