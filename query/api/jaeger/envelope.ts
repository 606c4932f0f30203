// The envelope of every answer of Jaeger's classic API, whole or in pieces.

export interface EnvelopeError {
  /** HTTP status; left out where a single trace of several is missing. */
  readonly code?: number;
  readonly msg: string;
  readonly traceID?: string;
}

/** An answer whose data is small. `total` is set on lists only, as Jaeger does. */
export function listEnvelope(data: readonly unknown[]): string {
  return `{"data":${JSON.stringify(data)},${tail(data.length, [])}`;
}

/** As listEnvelope, but without a number: dependencies have none in Jaeger's answers. */
export function dataEnvelope(data: readonly unknown[]): string {
  return `{"data":${JSON.stringify(data)},${tail(0, [])}`;
}

/** What Jaeger says of a trace that it has archived. */
export function archivedEnvelope(): string {
  return '{"data":[],"total":0,"limit":0,"offset":0,"errors":[]}';
}

/** The body of a refusal. */
export function errorEnvelope(code: number, message: string): string {
  return `{"data":null,${tail(0, [{ code, msg: message }])}`;
}

/** What an answer says after its traces. */
export interface Ending {
  readonly errors: readonly EnvelopeError[];
  /** How many there are in all, where that was asked: ours, Jaeger always says 0. */
  readonly total?: number;
  /** `cursor` of the next page, if there may be one: ours. */
  readonly nextCursor?: string;
}

/** Traces, each in pieces, as they come; `ending` is asked when all of them have. */
export async function* tracesEnvelope(
  traces: AsyncIterable<AsyncIterable<string>>,
  ending: () => Ending,
): AsyncGenerator<string, void> {
  let before = '{"data":[';
  for await (const trace of traces) {
    for await (const piece of trace) {
      yield before + piece;
      before = '';
    }
    before = ',';
  }
  // A comma is waiting for a trace that does not come.
  const { errors, total = 0, nextCursor } = ending();
  const next = nextCursor === undefined ? '' : `"nextCursor":${JSON.stringify(nextCursor)},`;
  yield `${before === ',' ? '' : before}],${next}${tail(total, errors)}`;
}

function tail(total: number, errors: readonly EnvelopeError[]): string {
  const list = errors.length === 0 ? 'null' : JSON.stringify(errors);
  return `"total":${total},"limit":0,"offset":0,"errors":${list}}`;
}
