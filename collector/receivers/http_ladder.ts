// What every receiver over HTTP does with a request, once: encoding → body → inflate → translate →
// accept, between the rungs that are the protocol's own. Bytes are charged before they are kept.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { DEFAULT_TENANT, REQUEST_BYTES_MAX } from '../../model/limits.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import type { Refusal } from '../../service/refusal.ts';
import type { Accept, Accepted, Batch } from '../batch.ts';
import { contentEncoding } from './content_encoding.ts';
import { BodyGone, readBody } from './http_body.ts';
import { inflate } from './inflate.ts';
import type { ReceiverMetrics } from './receiver_metrics.ts';
import { refusalOf } from './refusal_status.ts';
import { Reservation } from './reservation.ts';

export interface HttpReceiverDeps {
  readonly accept: Accept;
  readonly budget: MemoryBudget;
  readonly metrics: ReceiverMetrics;
  /** Told what was thrown and is no refusal; the client has got a 500. */
  readonly onBug: (error: unknown) => void;
  /** Cap of a body, on the wire and inflated; REQUEST_BYTES_MAX unless told. */
  readonly requestBytesMax?: number;
}

export interface Translating {
  /** What translating takes is charged here. */
  readonly reservation: Reservation;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
}

/** A protocol; `Kind` is what its head says of the body. */
export interface HttpProtocol<Kind> {
  readonly receiver: Batch['receiver'];
  /** Where it is below the cap of all receivers, bytes. */
  readonly bodyBytesMax?: number;
  /** Path, method, content type. Throws RefusalError. */
  readonly head: (request: IncomingMessage) => Kind;
  /** The inflated body as OTLP; undefined when there is nothing to accept. Throws RefusalError. */
  readonly translate: (
    body: Uint8Array<ArrayBuffer>,
    kind: Kind,
    context: Translating,
  ) => Promise<Uint8Array | undefined> | Uint8Array | undefined;
  readonly replyAccepted: (
    request: IncomingMessage,
    response: ServerResponse,
    accepted: Accepted,
  ) => void;
  readonly replyRefused: (
    request: IncomingMessage,
    response: ServerResponse,
    refusal: Refusal,
  ) => void;
}

const NOTHING: Accepted = { spans: 0, rejected: 0, message: '' };

/** Answers the request, whatever it is; never rejects. */
export async function takeRequest<Kind>(
  request: IncomingMessage,
  response: ServerResponse,
  deps: HttpReceiverDeps,
  protocol: HttpProtocol<Kind>,
): Promise<void> {
  const { receiver } = protocol;
  const reservation = new Reservation(deps.budget);
  const gone = new AbortController();
  // A reset at any later moment is no error of ours.
  request.on('error', () => undefined);
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  try {
    const accepted = await climb(request, deps, protocol, { reservation, signal: gone.signal });
    protocol.replyAccepted(request, response, accepted);
    deps.metrics.request(receiver, accepted.rejected > 0 ? 'partial' : 'ok');
  } catch (error) {
    if (error instanceof BodyGone) {
      deps.metrics.request(receiver, 'gone');
      return;
    }
    const refusal = refusalOf(error, deps.onBug);
    protocol.replyRefused(request, response, refusal);
    deps.metrics.request(receiver, gone.signal.aborted ? 'gone' : refusal.code);
  } finally {
    reservation.close();
  }
}

/** The ladder. Throws RefusalError from every rung, and BodyGone. */
async function climb<Kind>(
  request: IncomingMessage,
  deps: HttpReceiverDeps,
  protocol: HttpProtocol<Kind>,
  context: Translating,
): Promise<Accepted> {
  const { receiver } = protocol;
  const { reservation, signal } = context;
  const kind = protocol.head(request);
  const encoding = contentEncoding(request);
  const requestMax = deps.requestBytesMax ?? REQUEST_BYTES_MAX;
  const bytesMax = Math.min(requestMax, protocol.bodyBytesMax ?? requestMax);
  const body = await readBody(request, bytesMax, reservation);
  deps.metrics.receivedBytes(receiver, body.length);
  const sent = body.bytes();
  const inflated = await inflate(sent, encoding, bytesMax, reservation);
  if (inflated !== sent) body.drop();
  const bytes = await protocol.translate(inflated, kind, context);
  if (bytes === undefined) return NOTHING;
  return deps.accept({ tenant: DEFAULT_TENANT, bytes, receiver, signal });
}

/** Clients that join addresses carelessly send `//v1/traces` and `/v1/traces/`. */
export function pathOf(request: IncomingMessage): string {
  const path = (request.url ?? '').split('?', 1)[0] as string;
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}

/** The content type in lower case, without parameters such as `; charset=utf-8`. */
export function mediaTypeOf(request: IncomingMessage): string {
  const header = request.headers['content-type'] ?? '';
  return (header.split(';', 1)[0] as string).trim().toLowerCase();
}

/** What a refusal says in headers. */
export function refusalHeaders(refusal: Refusal): Record<string, string> {
  const headers: Record<string, string> = {};
  if (refusal.code === 'method') headers['allow'] = 'POST';
  if (refusal.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000)));
  }
  return headers;
}
