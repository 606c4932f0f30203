// Datagrams gathered for a few milliseconds into one OTLP request: accepting each by itself would
// cost more than reading it. Runs in the reading thread, where sockets come first: datagrams wait
// here, not in the kernel, whose buffer holds those of a few milliseconds.

import { BatchBuilder } from '../../../model/codec/jaeger/batch_builder.ts';
import { addDatagram, isZipkinDatagram } from '../../../model/codec/jaeger/thrift_to_otlp.ts';
import { zipkinDatagramToOtlp } from '../../../model/codec/jaeger/zipkin_datagram.ts';
import type { Bug, Gathered } from './messages.ts';

/** Long enough to gather a hundred datagrams of a busy host, short against any reader's patience. */
const LINGER_MS = 5;

/** A request is handed on at this size: some 2,000 spans. */
const GATHER_BYTES = 1024 * 1024;

/**
 * The collector drops what waits too long; past this it takes nothing at all any more, and memory
 * must not fill with what it has not even looked at.
 */
const HELD_BYTES_MAX = 128 * 1024 * 1024;

/** One datagram of 64 KiB is never more than this as OTLP: it may be ten times its size. */
const REQUEST_BYTES_MAX = 16 * 1024 * 1024;

/** Of datagrams that were read and wait to be translated; then the oldest are dropped. */
const QUEUE_BYTES_MAX = 32 * 1024 * 1024;

/** What a datagram that waits takes beside its bytes. */
const OVERHEAD_BYTES = 256;

/**
 * So long is translated before the sockets are read again. Each turn reads up to 32 datagrams of a
 * socket (libuv), which makes 40,000 a second while translating is at its slowest.
 */
const SLICE_MS = 0.5;

const MICROS_PER_MS = 1000;

const noDrops = () => ({ malformed: 0, too_large: 0, full: 0 });

export class UdpGathering {
  readonly #port: number;
  readonly #held: Int32Array<SharedArrayBuffer>;
  readonly #post: (message: Gathered | Bug) => void;
  readonly #builder = new BatchBuilder(REQUEST_BYTES_MAX);
  #zipkin: Uint8Array[] = [];
  #zipkinBytes = 0;
  #datagrams = 0;
  #receivedBytes = 0;
  #dropped = noDrops();
  #timer: NodeJS.Timeout | undefined;
  /** Those before `next` are done. */
  #queue: Uint8Array[] = [];
  #next = 0;
  #queueBytes = 0;
  #isTranslating = false;

  /** See UdpThreadData.held; `post` gives the buffer away. */
  constructor(
    port: number,
    held: Int32Array<SharedArrayBuffer>,
    post: (message: Gathered | Bug) => void,
  ) {
    this.#port = port;
    this.#held = held;
    this.#post = post;
  }

  /** Takes a datagram, which becomes ours. */
  add(datagram: Uint8Array): void {
    this.#receivedBytes += datagram.length;
    this.#queue.push(datagram);
    this.#queueBytes += datagram.length + OVERHEAD_BYTES;
    while (this.#queueBytes > QUEUE_BYTES_MAX) {
      this.#shift();
      this.#dropped.full++;
    }
    if (this.#isTranslating) return;
    this.#isTranslating = true;
    setImmediate(() => this.#slice());
  }

  /** Translates what waits and hands it on. */
  finish(): void {
    while (this.#next < this.#queue.length) this.#translate(this.#shift());
    this.#flush();
  }

  #slice(): void {
    const endMs = performance.now() + SLICE_MS;
    while (this.#next < this.#queue.length) {
      this.#translate(this.#shift());
      if (performance.now() < endMs) continue;
      setImmediate(() => this.#slice());
      return;
    }
    this.#isTranslating = false;
  }

  #shift(): Uint8Array {
    const datagram = this.#queue[this.#next++] as Uint8Array;
    this.#queueBytes -= datagram.length + OVERHEAD_BYTES;
    // Half of it done: what is left moves to the front, so that each moves once on average.
    if (this.#next * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
    return datagram;
  }

  #translate(datagram: Uint8Array): void {
    this.#timer ??= setTimeout(() => this.#flush(), LINGER_MS);
    try {
      this.#gather(datagram);
    } catch (error) {
      this.#post({ kind: 'bug', error });
    }
  }

  #gather(datagram: Uint8Array): void {
    if (Atomics.load(this.#held, 0) >= HELD_BYTES_MAX) {
      this.#dropped.full++;
      return;
    }
    const problem = addDatagram(datagram, this.#builder) && this.#addOther(datagram);
    if (problem !== undefined) {
      this.#dropped[problem.tooLarge ? 'too_large' : 'malformed']++;
      return;
    }
    this.#datagrams++;
    if (this.#builder.length + this.#zipkinBytes >= GATHER_BYTES) this.#flush();
  }

  /** Hands on what was gathered and counted. */
  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#receivedBytes === 0 && this.#datagrams === 0 && !this.#hasDropped()) return;
    const jaeger = this.#builder.finish();
    // Requests one after the other are one request: all their fields are repeated.
    const bytes = this.#zipkin.length === 0 ? jaeger : this.#joined(jaeger);
    Atomics.add(this.#held, 0, bytes.buffer.byteLength);
    this.#post({
      kind: 'gathered',
      port: this.#port,
      bytes,
      datagrams: this.#datagrams,
      receivedBytes: this.#receivedBytes,
      dropped: this.#dropped,
    });
    this.#zipkin = [];
    this.#zipkinBytes = 0;
    this.#datagrams = 0;
    this.#receivedBytes = 0;
    this.#dropped = noDrops();
  }

  #hasDropped(): boolean {
    const { malformed, too_large, full } = this.#dropped;
    return malformed + too_large + full > 0;
  }

  /** In a buffer of its own, as it will be given away. */
  #joined(jaeger: Uint8Array): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(jaeger.length + this.#zipkinBytes);
    let at = 0;
    for (const part of [jaeger, ...this.#zipkin]) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** The agent's other method; what is neither is answered for as the batch that it should be. */
  #addOther(datagram: Uint8Array): { readonly tooLarge: boolean } | undefined {
    if (!isZipkinDatagram(datagram)) return { tooLarge: false };
    const decoded = zipkinDatagramToOtlp(datagram, Date.now() * MICROS_PER_MS);
    if (!decoded.ok) return decoded;
    this.#zipkin.push(decoded.bytes);
    this.#zipkinBytes += decoded.bytes.length;
    return undefined;
  }
}
