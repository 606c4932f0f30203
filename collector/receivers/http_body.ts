// One request body off the socket, bounded and paid for.

import type { IncomingMessage } from 'node:http';
import type { RefusalError } from '../../service/refusal.ts';
import { BodyBuffer, tooLarge } from './body_buffer.ts';
import type { Reservation } from './reservation.ts';

/**
 * The body as sent. Throws RefusalError `too_large` or `busy` with the rest of the body unread, and
 * BodyGone when the client left or was too slow (the listener has answered 408 then).
 */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
  reservation: Reservation,
): Promise<BodyBuffer> {
  const declared = declaredLength(request);
  if (declared > bytesMax) throw tooLarge('the body', bytesMax);
  const body = new BodyBuffer(reservation, declared, bytesMax, 'the body');
  if (request.readableEnded || (request.complete && request.readableLength === 0)) return body;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error): void => {
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      if (error === undefined) {
        resolve();
        return;
      }
      // Paused, so that the rest stays in the socket and the sender is held back.
      request.pause();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      try {
        body.append(chunk);
      } catch (error) {
        settle(error as RefusalError);
      }
    };
    const onEnd = (): void => settle();
    const onGone = (): void => settle(new BodyGone());
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
  return body;
}

/** 0 when the length is not declared, as with every chunked body. Node has checked the syntax. */
export function declaredLength(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

/** There is nobody left to answer. */
export class BodyGone extends Error {
  constructor() {
    super('the client left before its body was complete');
    this.name = 'BodyGone';
  }
}
