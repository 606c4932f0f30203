// Zipkin's port: its HTTP API for spans, and gRPC beside it, told apart by their first bytes.

import type { GrpcLimits } from '../../service/grpc_listener.ts';
import { type HttpListenerOptions, type Listener, openHttp } from '../../service/http_listener.ts';
import { type ZipkinGrpcDeps, zipkinGrpc } from './zipkin_grpc.ts';
import { type ZipkinHttpDeps, zipkinHttpHandler } from './zipkin_http.ts';

export interface ZipkinDeps extends ZipkinHttpDeps, ZipkinGrpcDeps {
  readonly grpcLimits?: Partial<GrpcLimits>;
}

type Listen = Omit<HttpListenerOptions, 'handler' | 'onBug' | 'grpc'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export function startZipkin(deps: ZipkinDeps, listen: Listen): Promise<Listener> {
  return openHttp({
    ...listen,
    handler: zipkinHttpHandler(deps),
    onBug: deps.onBug,
    grpc: zipkinGrpc(deps, deps.grpcLimits ?? {}),
  });
}
