// Trouble with the log, as an answer to senders.

import { RefusalError } from '../service/refusal.ts';
import { PublishError } from '../storage/kafka/publish_error.ts';
import type { Publish } from '../storage/span_log.ts';

/** The same, throwing RefusalError for PublishError; what else it throws is a bug of ours. */
export function refusing(publish: Publish): Publish {
  return async (record) => {
    try {
      await publish(record);
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      const { reason: code, message, retryAfterMs } = error;
      throw new RefusalError({ code, message, retryAfterMs }, error);
    }
  };
}
