// What the reading thread and the collector say to each other.

import type { ListenAddress } from '../../../service/listen.ts';

/** `ok`: stored. `full`: no room to wait. `lost`: gathered, then not stored. */
export type DatagramOutcome = 'ok' | 'malformed' | 'too_large' | 'full' | 'lost';

/** `workerData` of the thread. Ports are told apart by their place in `listen`. */
export interface UdpThreadData {
  readonly listen: readonly ListenAddress[];
  /** The kernel's receive buffer of each socket, bytes. */
  readonly bufferBytes: number;
  /** One int32: bytes of OTLP that were posted and are still held by the collector. */
  readonly held: Int32Array<SharedArrayBuffer>;
}

/** Counts since the last one, and the OTLP of the datagrams that were good. */
export interface Gathered {
  readonly kind: 'gathered';
  readonly port: number;
  /** An ExportTraceServiceRequest, its buffer given away; empty without good datagrams. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly datagrams: number;
  /** As they came, good ones or not. */
  readonly receivedBytes: number;
  readonly dropped: Readonly<Record<'malformed' | 'too_large' | 'full', number>>;
}

export interface Bug {
  readonly kind: 'bug';
  readonly error: unknown;
}

export interface UdpBound {
  readonly port: number;
  /** As clients would write them. */
  readonly addresses: readonly string[];
}

export type FromUdpThread =
  | Gathered
  | { readonly kind: 'open'; readonly bound: readonly UdpBound[] }
  /** A port could not be opened; the thread ends. */
  | { readonly kind: 'failed'; readonly message: string; readonly cause: unknown }
  | { readonly kind: 'note'; readonly message: string }
  | Bug;

/** To the thread: read what has come, hand it on, and end. */
export const STOP = 'stop';
