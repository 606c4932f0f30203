// OTLP/HTTP over kept-alive connections, one request after the other on each.

import { Agent, type IncomingMessage, request } from 'node:http';
import { decodePartialSuccess } from '../../cli/demo/partial_success.ts';
import type { LoadOptions, Sender, SendOutcome } from './options.ts';

/** Longer than any server should take; a hung one must not hang the benchmark. */
const REQUEST_MS_MAX = 60_000;

export function openHttpSender(options: LoadOptions): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = {
    'content-type': 'application/x-protobuf',
    ...(options.protocol === 'http-gzip' ? { 'content-encoding': 'gzip' } : {}),
  };
  const { host, port } = options;
  const target = { host, port, path: '/v1/traces', method: 'POST', agent, timeout: REQUEST_MS_MAX };
  return {
    send: (body) =>
      new Promise<SendOutcome>((resolve) => {
        const length = { 'content-length': body.length };
        const sent = request({ ...target, headers: { ...headers, ...length } }, (response) => {
          void readOutcome(response).then(resolve, (error: unknown) => resolve(failed(error)));
        });
        sent.on('timeout', () => sent.destroy(new Error('timeout')));
        sent.on('error', (error) => resolve(failed(error)));
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

async function readOutcome(response: IncomingMessage): Promise<SendOutcome> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const status = response.statusCode ?? 0;
  if (status === 200) {
    return { ok: true, rejected: decodePartialSuccess(Buffer.concat(chunks)).rejected };
  }
  const retryAfterMs = Number(response.headers['retry-after'] ?? 0) * 1000;
  return { ok: false, failure: `HTTP ${status}`, retryAfterMs: retryAfterMs || 0 };
}

function failed(error: unknown): SendOutcome {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return { ok: false, failure: code, retryAfterMs: 0 };
}
