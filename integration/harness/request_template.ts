// Requests that differ in trace id and times alone, made by patching bytes: encoding thousands of
// spans a second would cost more than taking them in.
import { randomBytes } from 'node:crypto';
import { encodeRequest, hex, traceOf } from './otlp.ts';

/** As many and as long as ordinary HTTP server spans have: about 300 bytes a span. */
const ATTRIBUTES = [
  { key: 'http.request.method', value: 'GET' },
  { key: 'http.response.status_code', value: 200 },
  { key: 'url.path', value: '/api/v1/orders/4711/items' },
  { key: 'server.address', value: 'orders.shop.svc.cluster.local' },
  { key: 'thread.name', value: 'http-nio-8080-exec-17' },
] as const;

/** Stand where the times will be; bytes that nothing else in a request has. */
const START_MARK = 0xf1f2_f3f4_f5f6_f7f8n;
const END_MARK = 0xe1e2_e3e4_e5e6_e7e8n;

const MS_NANOS = 1_000_000n;

export interface TraceRequest {
  readonly traceId: string;
  readonly bytes: Uint8Array;
}

export class RequestTemplate {
  readonly #bytes: Buffer;
  readonly #idAt: readonly number[];
  readonly #startAt: readonly number[];
  readonly #endAt: readonly number[];

  /** One trace of so many spans. */
  constructor(service: string, spans: number) {
    const times = { startUnixNanos: START_MARK, endUnixNanos: END_MARK };
    const trace = traceOf(spans).map((span) => ({ ...span, ...times, attributes: ATTRIBUTES }));
    this.#bytes = Buffer.from(encodeRequest(service, trace));
    this.#idAt = places(this.#bytes, Buffer.from(trace[0]?.traceId ?? []));
    this.#startAt = places(this.#bytes, fixed64(START_MARK));
    this.#endAt = places(this.#bytes, fixed64(END_MARK));
    const found = [this.#idAt, this.#startAt, this.#endAt].map(({ length }) => length);
    if (found.some((length) => length !== spans)) {
      throw new Error(`expected ${spans} places for ids and times, found ${found.join(', ')}`);
    }
  }

  next(): TraceRequest {
    const bytes = Buffer.from(this.#bytes);
    const traceId = randomBytes(16);
    const now = BigInt(Date.now()) * MS_NANOS;
    for (const at of this.#idAt) traceId.copy(bytes, at);
    for (const at of this.#startAt) bytes.writeBigUInt64LE(now, at);
    for (const at of this.#endAt) bytes.writeBigUInt64LE(now + MS_NANOS, at);
    return { traceId: hex(traceId), bytes };
  }
}

function fixed64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function places(bytes: Buffer, part: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(part); at !== -1; at = bytes.indexOf(part, at + 1)) found.push(at);
  return found;
}
