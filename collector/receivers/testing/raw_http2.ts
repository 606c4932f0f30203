// HTTP/2 frames by hand (RFC 9113 §4.1): Node's own client joins small writes into one frame.

import { connect, type Socket } from 'node:net';
import { EXPORT, type Rig } from './rig.ts';

export const DATA = 0;
export const HEADERS = 1;
export const SETTINGS = 4;
export const PING = 6;
export const CONTINUATION = 9;
export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;

/** Frames in one write: enough to be quick, few enough for the other side to breathe. */
const FRAMES_PER_WRITE = 2000;

/** Sends one Export call whose DATA frames hold a byte each; at most 65,535 of them (one window). */
export async function oneByteFrames(rig: Rig, message: Uint8Array): Promise<Socket> {
  const socket = await openHttp2(rig.grpc.port);
  socket.write(frame(HEADERS, END_HEADERS, 1, callHeaders()));
  for (let start = 0; start < message.length; start += FRAMES_PER_WRITE) {
    const frames = [...message.subarray(start, start + FRAMES_PER_WRITE)].map((byte, i) =>
      frame(DATA, start + i === message.length - 1 ? END_STREAM : 0, 1, Uint8Array.of(byte)),
    );
    socket.write(Buffer.concat(frames));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return socket;
}

/** A connection with its preface and `settings` sent; what comes back is read and forgotten. */
export async function openHttp2(port: number, settings = new Uint8Array(0)): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(SETTINGS, 0, 0, settings));
  return socket;
}

/** The header block of an Export call. */
export function callHeaders(): Buffer {
  const headers = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', EXPORT],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ] as const;
  return Buffer.concat(headers.map(([name, value]) => literal(name, value)));
}

/** Length (24 bits), type, flags, stream, payload. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK (RFC 7541 §6.2.2): literal without indexing, new name, no Huffman; below 127 bytes each. */
export function literal(name: string, value: string): Buffer {
  const text = [name, value].map((part) =>
    Buffer.concat([Buffer.from([part.length]), Buffer.from(part)]),
  );
  return Buffer.concat([Buffer.from([0]), ...text]);
}
