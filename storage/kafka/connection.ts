// How to reach Kafka: what both clients need to know, in our own words.

export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

export interface KafkaConnection {
  /** `host:port`, each a broker to ask for the others. */
  readonly brokers: readonly string[];
  /** Shows up in the brokers' logs and quotas. */
  readonly clientId: string;
  /** PEM texts. Absent: no TLS. Empty: TLS with the system's authorities. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: {
    readonly mechanism: SaslMechanism;
    readonly user: string;
    readonly password: string;
  };
}

export type Compression = 'none' | 'lz4' | 'zstd';

/** TCP, TLS and SASL together; a broker that is there needs a few milliseconds. */
export const CONNECT_MS = 2000;

/**
 * After so long an unanswered request is taken for lost and sent again, under its sequence number.
 * Twice what the slowest link that we promise to work over needs (a round trip of 4 s, with room).
 */
export const REQUEST_MS = 5000;

/** Between attempts of one request, while a leader is being elected, say. */
export const RETRY_MS = 100;
