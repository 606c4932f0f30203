/** Why a record is not in the log, or not known to be; sending it again helps. */
export class PublishError extends Error {
  /** `busy`: our own queue is full. `unavailable`: the brokers do not answer, or we are stopping. */
  readonly reason: 'busy' | 'unavailable';
  readonly retryAfterMs: number;
  /** `message` is one plain sentence for the sender. */
  constructor(reason: 'busy' | 'unavailable', message: string, retryAfterMs: number) {
    super(message);
    this.name = 'PublishError';
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
