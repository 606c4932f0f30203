// Sends spans as OTLP/HTTP protobuf the way a well-behaved SDK does: one request for each pod,
// repeated where the server says "later", never where it says "wrong" (OTLP 1.11, failures and
// partial success).

import { setTimeout as sleep } from 'node:timers/promises';
import { encodeSpans } from '../../model/codec/otlp/encode.ts';
import type { Span } from '../../model/span.ts';

import { decodePartialSuccess } from './partial_success.ts';

/** What SDKs send at most in one request. */
const SPANS_PER_REQUEST_MAX = 512;

/** Half a minute of waiting bridges a restart; after that the spans are dropped, and counted. */
const ATTEMPTS_MAX = 8;
const BACKOFF_MS_MAX = 5000;
/** A server may ask for more patience than a demo has. */
const RETRY_AFTER_MS_MAX = 30_000;
const REQUEST_MS_MAX = 30_000;

/** A server's words are printed: not more of them than a line or two. */
const MESSAGE_LENGTH_MAX = 300;

const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface ExportTotals {
  requests: number;
  /** Acknowledged and not rejected. */
  spans: number;
  /** Rejected by the server, span by span or with their whole request. */
  rejected: number;
  /** Given up: the server was away or busy for too long. */
  dropped: number;
  retries: number;
  /** Why, the last time something did not go well; else ''. */
  lastProblem: string;
}

/** No answer came from the endpoint: nobody listens, or it is no address that can be reached. */
export class NothingListensError extends Error {
  constructor(endpoint: string, cause: unknown) {
    const reason = isRefused(cause) ? '' : ` (${reasonOf(cause)})`;
    super(`Nothing listens at ${endpoint}${reason}.`, { cause });
    this.name = 'NothingListensError';
  }
}

export class Exporter {
  readonly totals: ExportTotals = {
    requests: 0,
    spans: 0,
    rejected: 0,
    dropped: 0,
    retries: 0,
    lastProblem: '',
  };
  readonly #url: URL;
  readonly #signal: AbortSignal;

  /** `endpoint` as in OTEL_EXPORTER_OTLP_ENDPOINT: /v1/traces is appended where it has no path. */
  constructor(endpoint: string, signal: AbortSignal) {
    this.#url = new URL(endpoint);
    if (this.#url.pathname === '/') this.#url.pathname = '/v1/traces';
    this.#signal = signal;
  }

  /** Throws NothingListensError where no answer came; any answer at all is fine. */
  async probe(): Promise<void> {
    const outcome = await this.#post(new Uint8Array(0));
    if (outcome.kind === 'unreachable') {
      throw new NothingListensError(this.#url.origin, outcome.cause);
    }
  }

  /**
   * Spans by pod, each pod's in its own requests, pods side by side. Throws nothing; see `totals`.
   */
  async send(spans: readonly Span[]): Promise<void> {
    const byPod = Map.groupBy(spans, (span) => span.resource);
    await Promise.all([...byPod.values()].map((ofPod) => this.#sendSerially(ofPod)));
  }

  async #sendSerially(spans: readonly Span[]): Promise<void> {
    for (let from = 0; from < spans.length; from += SPANS_PER_REQUEST_MAX) {
      await this.#sendOne(spans.slice(from, from + SPANS_PER_REQUEST_MAX));
    }
  }

  async #sendOne(spans: readonly Span[]): Promise<void> {
    const body = encodeSpans(spans);
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#post(body);
      if (outcome.kind === 'accepted') {
        this.totals.requests++;
        this.totals.rejected += outcome.rejected;
        this.totals.spans += spans.length - outcome.rejected;
        if (outcome.message !== '') this.totals.lastProblem = outcome.message;
        return;
      }
      this.totals.lastProblem = outcome.message;
      if (outcome.kind === 'refused') {
        this.totals.rejected += spans.length;
        return;
      }
      if (attempt === ATTEMPTS_MAX || this.#signal.aborted) {
        this.totals.dropped += spans.length;
        return;
      }
      this.totals.retries++;
      const backoffMs = Math.min(BACKOFF_MS_MAX, 250 * 2 ** attempt) * (0.5 + Math.random() / 2);
      const waitMs = (outcome.kind === 'later' ? outcome.retryAfterMs : undefined) ?? backoffMs;
      await sleep(waitMs, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  async #post(body: Uint8Array): Promise<Outcome> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(REQUEST_MS_MAX),
      });
      const answer = new Uint8Array(await response.arrayBuffer());
      if (response.ok) return { kind: 'accepted', ...decodePartialSuccess(answer) };
      const message = `${this.#url.origin} answered ${response.status}: ${printable(answer)}`;
      if (!RETRYABLE_STATUS.has(response.status)) return { kind: 'refused', message };
      return { kind: 'later', message, retryAfterMs: retryAfterMs(response.headers) };
    } catch (cause) {
      return { kind: 'unreachable', message: `${this.#url.origin}: ${reasonOf(cause)}`, cause };
    }
  }
}

type Outcome =
  | { readonly kind: 'accepted'; readonly rejected: number; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  | {
      readonly kind: 'later';
      readonly message: string;
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: 'unreachable'; readonly message: string; readonly cause: unknown };

/** Retry-After in seconds or as a date (RFC 9110 §10.2.3); undefined where there is none. */
export function retryAfterMs(headers: Headers, nowUnixMs = Date.now()): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (text === '') return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowUnixMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(RETRY_AFTER_MS_MAX, Math.max(0, waitMs));
}

/** An error body is a google.rpc.Status in protobuf: its readable part is good enough to print. */
function printable(answer: Uint8Array): string {
  const text = Buffer.from(answer).toString('utf8');
  return text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, MESSAGE_LENGTH_MAX);
}

/**
 * Node puts the errors of all addresses tried into one AggregateError, inside fetch's TypeError.
 */
function isRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === 'ECONNREFUSED') return true;
  if (error instanceof AggregateError) return error.errors.some((inner) => isRefused(inner));
  return isRefused(error.cause);
}

/** The innermost sentence, which fetch wraps. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return reasonOf(error.cause);
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first === undefined ? error.message : reasonOf(first);
}
