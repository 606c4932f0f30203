// What every Zipkin decoder answers, and how it stops.

export type Decoded =
  /** ExportTraceServiceRequest bytes at the start of a buffer of its own; empty when no span came. */
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer>; readonly spans: number }
  /** `message` is for the sender, in the words of Zipkin's own server where it has some. */
  | { readonly ok: false; readonly message: string };

/** Why a message cannot be decoded. */
export class ZipkinProblem extends Error {
  override readonly name = 'ZipkinProblem';
}

/** Spans of one message: 64 MiB hold a million of the smallest ones; more is made to cost us. */
export const SPANS_MAX = 2_000_000;

/** Tags and annotations of one span; OTLP keeps ATTRIBUTES_PER_SPAN_MAX of them and counts the rest. */
export const PARTS_PER_SPAN_MAX = 1_000_000;

/** Runs a decoder: its problems become answers, anything else is a bug and goes on. */
export function decoded(
  format: string,
  run: () => { readonly bytes: Uint8Array<ArrayBuffer>; readonly spans: number },
): Decoded {
  try {
    return { ok: true, ...run() };
  } catch (error) {
    if (!(error instanceof ZipkinProblem)) throw error;
    return { ok: false, message: `${error.message} reading List<Span> from ${format}` };
  }
}
