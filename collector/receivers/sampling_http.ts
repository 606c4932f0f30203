// Remote sampling over HTTP, as Jaeger's agent and v2 do on 5778: any path and method, one parameter
// `service`. /sampling is what most clients ask, / the Java one, /api/sampling collectors.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpListenerOptions, type Listener, openHttp } from '../../service/http_listener.ts';
import { strategyJson } from '../sampling/answer.ts';
import type { Strategy } from '../sampling/strategies.ts';
import { reply } from './http_reply.ts';

/** The strategy of a service; the default one for those that are not named. */
export type StrategyOf = (service: string) => Strategy;

type Listen = Omit<HttpListenerOptions, 'handler'>;

/** Resolves when the port is open. Throws ListenError (service/listen.ts). */
export function startSamplingHttp(strategyOf: StrategyOf, listen: Listen): Promise<Listener> {
  return openHttp({
    ...listen,
    handler: (request, response) => {
      request.on('error', () => undefined);
      answerSampling(request, response, strategyOf);
    },
  });
}

const JSON_TYPE = 'application/json';

export function answerSampling(
  request: IncomingMessage,
  response: ServerResponse,
  strategyOf: StrategyOf,
): void {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const services = new URLSearchParams(query).getAll('service');
  const [service] = services;
  if (services.length !== 1 || service === undefined || service === '') {
    const body = `'service' parameter must be provided once\n`;
    reply(request, response, { status: 400, contentType: 'text/plain; charset=utf-8', body });
    return;
  }
  // Clients of old ask for restrictions on baggage; nobody has ever set any here.
  const body = path.endsWith('/baggageRestrictions') ? '[]' : strategyJson(strategyOf(service));
  reply(request, response, { status: 200, contentType: JSON_TYPE, body });
}
