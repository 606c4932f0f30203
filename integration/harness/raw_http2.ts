// HTTP/2 frames by hand (RFC 9113 §4.1, §6), for connections that no client would make.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const NOTHING = Buffer.alloc(0);

/** Length (24 bits), type, flags, stream, payload. */
export function frame(
  type: number,
  stream = 0,
  flags = 0,
  payload: Uint8Array = NOTHING,
): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** SETTINGS of one parameter (RFC 9113 §6.5.2). */
export function setting(id: number, value: number): Buffer<ArrayBuffer> {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(id, 0);
  payload.writeUInt32BE(value, 2);
  return frame(FRAME.settings, 0, 0, payload);
}

/** The header block of a gRPC call, every field literal and not indexed (RFC 7541 §6.2.2). */
export function callHeaders(path: string): Buffer<ArrayBuffer> {
  const fields = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ] as const;
  return Buffer.concat(fields.map(([name, value]) => literal(name, value, 0x00)));
}

/** One field in a byte or two of length; `kind` 0x40 puts it into the dynamic table. */
export function literal(name: string, value: string, kind: 0x00 | 0x40): Buffer<ArrayBuffer> {
  const parts: Uint8Array[] = [Buffer.of(kind)];
  for (const text of [name, value]) parts.push(length(text.length), Buffer.from(text));
  return Buffer.concat(parts);
}

/** An integer with a prefix of seven bits (RFC 7541 §5.1). */
function length(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

export class RawHttp2 {
  readonly socket: Socket;
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#closed = true;
    });
    // Unless a test pauses it, what comes back is read and forgotten.
    socket.resume();
  }

  /** Connected; the preface and SETTINGS are sent unless `silent`. */
  static async open(port: number, { silent = false } = {}): Promise<RawHttp2> {
    const socket = connect(port, '127.0.0.1');
    const raw = new RawHttp2(socket);
    await once(socket, 'connect');
    if (!silent) socket.write(Buffer.concat([PREFACE, frame(FRAME.settings)]));
    return raw;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Writes `bytes` `times` over, as fast as they are taken. Returns how often it got to: less when
   * the other side closed, or took nothing more for `stuckMs`.
   */
  async flood(bytes: Uint8Array, times: number, stuckMs = 1000): Promise<number> {
    for (let sent = 0; sent < times; sent++) {
      if (this.#closed || !this.socket.writable) return sent;
      if (this.socket.write(bytes)) {
        if (sent % 16 === 0) await sleep(0);
        continue;
      }
      const drained = once(this.socket, 'drain').then(
        () => true,
        () => false,
      );
      const ended = new Promise<false>((resolve) =>
        this.socket.once('close', () => resolve(false)),
      );
      const isMoving = await Promise.race([drained, ended, sleep(stuckMs, false)]);
      if (!isMoving) return sent;
    }
    return times;
  }

  /** Whether the other side has closed within `ms`. */
  async closes(ms: number): Promise<boolean> {
    const closed = new Promise((resolve) => this.socket.once('close', resolve));
    if (!this.#closed) await Promise.race([closed, sleep(ms)]);
    return this.#closed;
  }

  destroy(): void {
    this.socket.destroy();
  }
}
