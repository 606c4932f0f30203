import type { Agent, IncomingHttpHeaders } from 'node:http';
import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Default: a connection of its own, closed afterwards. */
  readonly agent?: Agent;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

/**
 * One HTTP request; unlike fetch it can set Host and never follows or retries anything.
 * Throws when the connection breaks before a whole answer came, or when time is up. An answer
 * that comes while the body is still being sent (a refusal) is an answer.
 */
export function call(url: string, options: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request(
      url,
      {
        method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
        headers: { ...options.headers },
        agent: options.agent ?? false,
        signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => {
          const { headers, statusCode: status = 0 } = res;
          resolve({ status, headers, body: Buffer.concat(chunks) });
        });
      },
    );
    req.on('error', reject);
    req.end(options.body);
  });
}

/** GETs JSON; throws unless the answer is 200. */
export async function getJson(url: string, agent?: Agent): Promise<unknown> {
  const answer = await call(url, agent === undefined ? {} : { agent });
  if (answer.status !== 200) {
    throw new Error(`expected 200 from ${url}, got ${answer.status}: ${answer.body.toString()}`);
  }
  return JSON.parse(answer.body.toString());
}
