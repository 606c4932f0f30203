// For tests: a client of Jaeger's gRPC APIs, made from proto/ by the stock loader, so that nothing
// of what answers is what reads.

import { fileURLToPath } from 'node:url';
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const definition = loadSync(
  ['jaeger/api_v2/query.proto', 'jaeger/api_v3/query_service.proto', 'grpc/health/v1/health.proto'],
  {
    includeDirs: [fileURLToPath(new URL('../../proto/', import.meta.url))],
    keepCase: true,
    longs: BigInt,
    enums: String,
    defaults: true,
    bytes: Buffer,
  },
);

type Message = Record<string, unknown>;

export interface GrpcClient {
  /** All messages of the answer. Rejects with a ServiceError. */
  call<T>(method: string, request: Message, deadlineMs?: number): Promise<T[]>;
  close(): void;
}

/** `service` with its package. */
export function grpcClient(port: number, service: string): GrpcClient {
  const address = `127.0.0.1:${port}`;
  const client = new (constructorOf(service))(address, credentials.createInsecure());
  return {
    call: <T>(method: string, request: Message, deadlineMs = 30_000) =>
      answerOf<T>(client, `${service}`, method, request, Date.now() + deadlineMs),
    close: () => client.close(),
  };
}

/** A message of an answer, as that client reads it. */
export function responseOf<T>(
  method: readonly [service: string, name: string],
  bytes: Uint8Array,
): T {
  const methods = definition[method[0]] as unknown as Record<string, MethodDefinition>;
  return methods[method[1]]!.responseDeserialize(Buffer.from(bytes)) as T;
}

function constructorOf(service: string): ServiceClientConstructor {
  let found: unknown = loadPackageDefinition(definition);
  for (const part of service.split('.')) found = (found as GrpcObject)[part];
  return found as ServiceClientConstructor;
}

interface MethodDefinition {
  readonly path: string;
  readonly requestSerialize: (value: object) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => object;
}

function answerOf<T>(
  client: Client,
  service: string,
  name: string,
  request: Message,
  deadline: number,
): Promise<T[]> {
  const methods = definition[service] as unknown as Record<string, MethodDefinition>;
  const method = methods[name];
  if (method === undefined) throw new Error(`No method ${name} in ${service}.`);
  const messages: T[] = [];
  return new Promise((resolve, reject) => {
    // A unary answer is a stream of one message.
    const stream = client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      { deadline },
    );
    stream.on('data', (message: T) => messages.push(message));
    stream.on('error', (error: ServiceError) => reject(error));
    stream.on('end', () => resolve(messages));
  });
}
