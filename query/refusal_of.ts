// What went wrong on the way to an answer, as the refusal that an API turns into its own words.

import { type Refusal, RefusalError } from '../service/refusal.ts';
import { SelectError } from '../storage/clickhouse/select.ts';

/** A store that restarts needs a second or two. */
const RETRY_AFTER_MS = 1000;

export function refusalOf(error: unknown): Refusal {
  if (error instanceof RefusalError) return error.refusal;
  if (isGivenUp(error)) return { code: 'deadline', message: GIVEN_UP };
  if (!(error instanceof SelectError)) return { code: 'internal', message: BUG };
  const { failure, message } = error;
  switch (failure) {
    case 'timeout':
    case 'cancelled':
      return { code: 'deadline', message };
    case 'too_much':
      return { code: 'too_large', message };
    case 'busy':
    case 'unavailable':
      return { code: failure, message, retryAfterMs: RETRY_AFTER_MS };
    case 'broken':
      return { code: 'internal', message };
  }
}

/** What a signal throws: the caller has left, or its time is up, while it waited or we counted. */
function isGivenUp(error: unknown): boolean {
  return error instanceof DOMException && /^(Abort|Timeout)Error$/.test(error.name);
}

const GIVEN_UP = 'The request was given up before its answer was ready.';
const BUG = 'An error of ours, which has been logged; the request may be fine.';
