// A unary gRPC method on a bare HTTP/2 stream: one message in, one out, the outcome in the trailers
// (gRPC over HTTP/2, PROTOCOL-HTTP2.md). Every byte is charged to the memory budget before it is
// kept, compressed messages inflate under the budget too, and whoever is slow (to send, to read the
// answer) is let go of.
//
//   Length-Prefixed-Message: 1 byte compressed flag, 4 bytes length (big endian), message

import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { BareMethod } from '../../service/grpc_bare.ts';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import { type Refusal, type RefusalCode, RefusalError } from '../../service/refusal.ts';
import { BodyBuffer, tooLarge } from './body_buffer.ts';
import { CallClock } from './call_clock.ts';
import { answerMessage, answerRefusal, answerStatus } from './grpc_answer.ts';
import { type GrpcEncoding, grpcEncodingOf, grpcTimeoutMs } from './grpc_headers.ts';
import { inflate } from './inflate.ts';
import type { Outcome } from './receiver_metrics.ts';
import { refusalOf } from './refusal_status.ts';
import { Reservation } from './reservation.ts';

export interface UnaryReply {
  readonly message: Uint8Array;
  readonly outcome: 'ok' | 'partial';
}

export interface UnaryRequest {
  /** Inflated, at the start of an ArrayBuffer of its own; never among other bytes. */
  readonly message: Uint8Array<ArrayBuffer>;
  /** What else it takes to serve the call is charged here. */
  readonly reservation: Reservation;
  /** Aborted when the client went away or its deadline passed. */
  readonly signal: AbortSignal;
}

export interface UnaryDeps {
  readonly budget: MemoryBudget;
  /** Cap of a message, on the wire and inflated. */
  readonly bytesMax: number;
  /** From the headers of a call to the end of its message. */
  readonly bodyTimeMs: number;
  /** Throws RefusalError for what it does not take. */
  readonly serve: (request: UnaryRequest) => Promise<UnaryReply>;
  /** From the answer to the client's having it. */
  readonly answerTimeMs?: number;
  /** A call has ended; `bytes` came in, prefix included. */
  readonly ended: (outcome: Outcome, bytes: number) => void;
  /** Told what was thrown and is no refusal; the client has got INTERNAL. */
  readonly onBug: (error: unknown) => void;
}

/** As over HTTP: a batch that has not arrived after a minute is not coming. */
export const BODY_TIME_MS = 60_000;

/** An answer is some hundred bytes: who has not taken it by then (a window of zero) never will. */
const ANSWER_TIME_MS = 20_000;

const PREFIX_BYTES = 5;

/** For answers without fields. */
export const NO_MESSAGE = new Uint8Array(0);

export function unaryMethod(deps: UnaryDeps): BareMethod {
  const clock = new CallClock<UnaryCall>((call) => call.late());
  return (stream, headers) => {
    // Errors have a close behind them, which ends the call; without a listener they end us.
    stream.on('error', ignore);
    const status = unfit(headers);
    if (status === undefined) new UnaryCall(stream, headers, deps, clock);
    else answerStatus(stream, status);
  };
}

const ignore = (): void => undefined;

/** The HTTP status of what is no gRPC call at all. */
function unfit(headers: IncomingHttpHeaders): number | undefined {
  if (headers[':method'] !== 'POST') return constants.HTTP_STATUS_METHOD_NOT_ALLOWED;
  const isGrpc = headers['content-type']?.startsWith('application/grpc') ?? false;
  return isGrpc ? undefined : constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE;
}

type Phase = 'receiving' | 'serving' | 'answered';

class UnaryCall {
  readonly #stream: ServerHttp2Stream;
  readonly #deps: UnaryDeps;
  readonly #clock: CallClock<UnaryCall>;
  readonly #reservation: Reservation;
  readonly #encoding: GrpcEncoding;
  readonly #deadlineMs: number;
  readonly #gone = new AbortController();
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #body: BodyBuffer | undefined;
  #length = 0;
  #bytes = 0;
  #phase: Phase = 'receiving';
  #serving = false;
  #closed = false;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    deps: UnaryDeps,
    clock: CallClock<UnaryCall>,
  ) {
    this.#stream = stream;
    this.#deps = deps;
    this.#clock = clock;
    this.#reservation = new Reservation(deps.budget);
    this.#encoding = grpcEncodingOf(headers);
    const timeoutMs = grpcTimeoutMs(headers);
    this.#deadlineMs = clock.nowMs + (timeoutMs ?? Infinity);
    clock.expect(this, Math.min(this.#deadlineMs, clock.nowMs + deps.bodyTimeMs));
    stream.on('close', () => this.#close());
    if (timeoutMs === undefined && headers['grpc-timeout'] !== undefined) {
      this.#refuse({ code: 'malformed', message: 'grpc-timeout must be digits and a unit' });
      return;
    }
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('end', () => this.#end());
  }

  /** Called by the clock when the time of the phase is over. */
  late(): void {
    if (this.#phase === 'answered') this.#stream.close(constants.NGHTTP2_CANCEL);
    else if (this.#clock.nowMs >= this.#deadlineMs) this.#refuse(DEADLINE);
    else this.#refuse(tooSlow(this.#deps.bodyTimeMs));
  }

  #take(chunk: Buffer): void {
    const before = this.#bytes;
    this.#bytes += chunk.length;
    if (this.#phase !== 'receiving') return;
    try {
      let at = 0;
      if (before < PREFIX_BYTES) {
        at = Math.min(PREFIX_BYTES - before, chunk.length);
        this.#prefix.set(chunk.subarray(0, at), before);
        if (before + at === PREFIX_BYTES) this.#begin();
      }
      if (at < chunk.length) this.#body?.append(at === 0 ? chunk : chunk.subarray(at));
      if (this.#body !== undefined && this.#body.length > this.#length) throw secondMessage();
    } catch (error) {
      this.#refuse(refusalOf(error, this.#deps.onBug));
    }
  }

  #begin(): void {
    const { bytesMax } = this.#deps;
    this.#length = new DataView(this.#prefix.buffer).getUint32(1);
    if (this.#length > bytesMax) throw tooLarge('the message', bytesMax);
    // A byte more than the message, so that what follows it is seen and not cut off as too large.
    this.#body = new BodyBuffer(this.#reservation, this.#length, bytesMax + 1, 'the message');
  }

  #end(): void {
    // A stream that was cut ends too; its close is what counts.
    if (this.#phase !== 'receiving' || this.#stream.aborted) return;
    if (this.#body === undefined || this.#body.length < this.#length) {
      this.#refuse(CUT);
      return;
    }
    this.#phase = 'serving';
    this.#clock.expect(this, this.#deadlineMs);
    this.#serving = true;
    void this.#serve(this.#body.bytes());
  }

  async #serve(body: Uint8Array<ArrayBuffer>): Promise<void> {
    const deps = this.#deps;
    const reservation = this.#reservation;
    try {
      const message = await this.#inflated(body);
      const reply = await deps.serve({ message, reservation, signal: this.#gone.signal });
      if (this.#phase === 'serving') {
        this.#answered(reply.outcome);
        answerMessage(this.#stream, reply.message);
      }
    } catch (error) {
      const refusal = refusalOf(error, deps.onBug);
      if (this.#phase === 'serving') this.#refuse(refusal);
    } finally {
      this.#serving = false;
      if (this.#closed) reservation.close();
    }
  }

  #inflated(
    body: Uint8Array<ArrayBuffer>,
  ): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (this.#prefix[0] === 0 || this.#encoding === 'identity') return body;
    if (this.#encoding === 'unknown') throw new RefusalError(UNKNOWN_ENCODING);
    return inflate(body, this.#encoding, this.#deps.bytesMax, this.#reservation);
  }

  #refuse(refusal: Refusal): void {
    const early = this.#phase === 'receiving';
    this.#answered(refusal.code);
    if (refusal.code === 'deadline') this.#gone.abort();
    answerRefusal(this.#stream, refusal);
    // Answered before the message was whole: tell the client to stop, and let go of what came. The
    // answer goes out first, so this is the NO_ERROR reset of RFC 9113 §8.1.
    if (early) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #answered(outcome: Outcome): void {
    this.#phase = 'answered';
    this.#clock.expect(this, this.#clock.nowMs + (this.#deps.answerTimeMs ?? ANSWER_TIME_MS));
    this.#deps.ended(outcome, this.#bytes);
  }

  #close(): void {
    this.#closed = true;
    this.#clock.forget(this);
    if (this.#phase !== 'answered') {
      this.#phase = 'answered';
      this.#gone.abort();
      this.#deps.ended('gone', this.#bytes);
    }
    // While they are served the bytes stay charged, even when the client has left.
    if (!this.#serving) this.#reservation.close();
  }
}

const DEADLINE = { code: 'deadline', message: 'the deadline of the call has passed' } as const;

const CUT = {
  code: 'malformed',
  message: 'one whole message was expected, but the call ended before it',
} as const;

const UNKNOWN_ENCODING = {
  code: 'unsupported' satisfies RefusalCode,
  message: 'the grpc-encoding must be identity, gzip or deflate',
} as const;

function secondMessage(): RefusalError {
  return new RefusalError({
    code: 'malformed',
    message: 'one message was expected, but more bytes came after it',
  });
}

function tooSlow(bodyTimeMs: number): Refusal {
  return {
    code: 'deadline',
    message: `the whole message was expected within ${bodyTimeMs} ms, but it is still coming in`,
  };
}
