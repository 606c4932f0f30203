// Alive and ready, for probes and load balancers. Ready means ready (P11): every check passes and
// nobody has asked the process to stop.

import type { ServerResponse } from 'node:http';
import { type HttpListenerOptions, type Listener, openHttp } from './http_listener.ts';

/** undefined when all is well, else one plain sentence. */
export type ReadyCheck = () => string | undefined;

export class Health {
  #phase: 'starting' | 'started' | 'draining' = 'starting';
  readonly #checks = new Map<string, ReadyCheck>();

  /** A condition that comes and goes, such as the reach of the store. Must answer at once. */
  check(name: string, check: ReadyCheck): void {
    this.#checks.set(name, check);
  }

  /** All ports are open; from now on the checks decide. */
  started(): void {
    if (this.#phase === 'starting') this.#phase = 'started';
  }

  /** For good: a draining process never becomes ready again. */
  draining(): void {
    this.#phase = 'draining';
  }

  /** Why the process is not ready; empty when it is. */
  reasons(): readonly string[] {
    if (this.#phase !== 'started') return [this.#phase];
    return [...this.#checks].flatMap(([name, check]) => {
      const reason = check();
      return reason === undefined ? [] : [`${name}: ${reason}`];
    });
  }
}

type Where = Omit<HttpListenerOptions, 'handler'>;

/**
 * GET /healthz is 200 while the process runs at all (liveness), /readyz is 200 when it is ready and
 * 503 with the reasons when not; `/` is the same as /readyz, as with the OpenTelemetry Collector.
 */
export function openHealth(health: Health, at: Where): Promise<Listener> {
  return openHttp({
    ...at,
    handler: (request, response) => {
      switch (request.url?.split('?', 1)[0]) {
        case '/healthz':
          answer(response, 200, { status: 'alive' });
          return;
        case '/':
        case '/readyz': {
          const reasons = health.reasons();
          if (reasons.length === 0) answer(response, 200, { status: 'ready' });
          else answer(response, 503, { status: 'not ready', reasons });
          return;
        }
        default:
          answer(response, 404, { error: 'health is at /healthz and /readyz' });
      }
    },
  });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
