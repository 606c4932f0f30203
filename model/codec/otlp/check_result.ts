// What a check of one request's bytes says; the rules stand in README.md.

/** Why a span is rejected, in the order in which the reasons are tried: the first match counts. */
export const REJECT_REASONS = [
  'span_too_large',
  'bad_trace_id',
  'bad_span_id',
  'bad_parent_id',
  'too_old',
  'too_new',
  'resource_too_large',
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

/** Spans rejected, by reason; every reason is there, 0 where none. */
export type Rejected = Record<RejectReason, number>;

/** `spans` are those that will be kept. Malformed bytes refuse the whole request. */
export type CheckResult =
  | { readonly ok: true; readonly spans: number; readonly rejected: Readonly<Rejected> }
  | { readonly ok: false; readonly reason: 'malformed'; readonly message: string };

export function noneRejected(): Rejected {
  return {
    span_too_large: 0,
    bad_trace_id: 0,
    bad_span_id: 0,
    bad_parent_id: 0,
    too_old: 0,
    too_new: 0,
    resource_too_large: 0,
  };
}
