// What grpc-js does not bound by itself. It gathers a message of up to 64 MiB per stream before our
// code hears of it, keeps every DATA frame as an object, inflates without asking anyone, and waits
// for ever for the rest of a body. This interceptor watches the bytes come in: they are charged to
// the memory budget, a slow body ends, and compressed messages reach the handler as they came, so
// that they are inflated under the budget too.
//
// For that it reads two private members of grpc-js's call, `stream` and `incomingEncoding`. The
// version of grpc-js is pinned; grpc_intake.test.ts fails if they go, and so does every call.

import { constants, type ServerHttp2Stream } from 'node:http2';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import type { MemoryBudget } from '../../service/memory_budget.ts';
import { type Refusal, RefusalError } from '../../service/refusal.ts';
import { grpcRefusal } from './grpc_refusal.ts';
import { Reservation } from './reservation.ts';

/** A call's bytes: what is charged for them, and how they are encoded. */
export interface Intake {
  readonly reservation: Reservation;
  /** grpc-encoding of the call; `identity` when there is none. */
  readonly encoding: string;
  /** Whether the (first) message has its compressed flag set. */
  compressed: boolean;
  /** Bytes received, prefixes included. */
  bytes: number;
  /** While a handler uses the bytes they stay charged, even when the client has left. */
  held: boolean;
  /** Whether a handler has ever held it. */
  handled: boolean;
}

/** An object per DATA frame, kept until its message is whole: the slice and its array slot. */
const FRAME_OVERHEAD_BYTES = 256;

/** grpc-js joins the frames of a message into a copy and keeps both until the call is over. */
const COPIES = 2;

export interface GrpcIntakeDeps {
  readonly budget: MemoryBudget;
  /** From the headers of a call to the end of its message. */
  readonly bodyTimeMs: number;
  /**
   * A call has ended without its handler: refused here or by grpc-js with this status, or, when
   * undefined, left by the client.
   */
  readonly unhandled: (path: string, code: number | undefined, bytes: number) => void;
}

export interface GrpcIntake {
  readonly interceptor: ServerInterceptor;
  /** For the handler of the call with this metadata object: the intake, held until `done`. */
  hold(metadata: Metadata): Intake;
  done(intake: Intake): void;
}

export function grpcIntake(deps: GrpcIntakeDeps): GrpcIntake {
  const intakes = new WeakMap<Metadata, Intake>();
  const closed = new WeakSet<Intake>();
  const interceptor: ServerInterceptor = (method, call) => {
    const inner = call as unknown as Inner;
    const intake: Intake = {
      reservation: new Reservation(deps.budget),
      encoding: inner.incomingEncoding,
      compressed: false,
      bytes: 0,
      held: false,
      handled: false,
    };
    inner.incomingEncoding = 'identity';
    watch(inner.stream, intake, deps.bodyTimeMs, (refusal) => {
      call.sendStatus(grpcRefusal(refusal));
    });
    inner.stream.once('close', () => {
      closed.add(intake);
      if (!intake.held) intake.reservation.close();
      if (!intake.handled) deps.unhandled(method.path, sentCode(inner.stream), intake.bytes);
    });
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        intakes.set(metadata, intake);
        next(metadata);
      })
      .build();
    return new ServerInterceptingCall(call, { start: (next) => next(listener) });
  };
  return {
    interceptor,
    hold: (metadata) => {
      const intake = intakes.get(metadata);
      if (intake === undefined) throw new Error('the call has not passed grpc_intake');
      intake.held = true;
      intake.handled = true;
      return intake;
    },
    done: (intake) => {
      intake.held = false;
      if (closed.has(intake)) intake.reservation.close();
    },
  };
}

/** The status of an answer without a message (Trailers-Only); undefined when there was none. */
function sentCode(stream: ServerHttp2Stream): number | undefined {
  const code = stream.sentHeaders?.['grpc-status'];
  return code === undefined ? undefined : Number(code);
}

/** The members of grpc-js's BaseServerInterceptingCall that are needed here. */
interface Inner {
  readonly stream: ServerHttp2Stream;
  incomingEncoding: string;
}

function watch(
  stream: ServerHttp2Stream,
  intake: Intake,
  bodyTimeMs: number,
  refuse: (refusal: Refusal) => void,
): void {
  let refused = false;
  const slow = setTimeout(() => refuse(tooSlow(bodyTimeMs)), bodyTimeMs);
  const ended = (): void => clearTimeout(slow);
  // Before grpc-js's own listener, which may hand the message on within the same event.
  stream.prependListener('data', (chunk: Buffer) => {
    // Length-Prefixed-Message: 1 byte compressed flag, 4 bytes length, message.
    if (intake.bytes === 0 && chunk.length > 0) intake.compressed = chunk[0] === 1;
    intake.bytes += chunk.length;
    if (refused) return;
    try {
      intake.reservation.take(chunk.length * COPIES + FRAME_OVERHEAD_BYTES);
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      refused = true;
      refuse(error.refusal);
    }
  });
  stream.once('end', ended);
  stream.once('close', ended);
  // Answered before the message was whole: tell the client to stop, and let go of what came. The
  // answer is on its way (finish), so this is the NO_ERROR reset of RFC 9113 §8.1.
  stream.once('finish', () => {
    ended();
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

function tooSlow(bodyTimeMs: number): Refusal {
  return {
    code: 'deadline',
    message: `the whole message was expected within ${bodyTimeMs} ms, but it is still coming in`,
  };
}
