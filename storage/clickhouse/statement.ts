// A SELECT as it goes to ClickHouse: our text, and every value that came from outside as a bound
// parameter `{name:Type}`. Nothing is ever spliced into the text.

export type Param = string | number | bigint | readonly string[] | readonly bigint[];

export interface Statement {
  /** Without FORMAT and SETTINGS; tables as `{db:Identifier}.name`, which is bound when it runs. */
  readonly sql: string;
  readonly params: Readonly<Record<string, Param>>;
  /** How to run it, where the store's own choice was measured to be the slower one. */
  readonly settings?: Readonly<Record<string, number>>;
}

/** A trace id as the tables hold it: its two halves, unsigned. */
export interface TraceKey {
  readonly high: bigint;
  readonly low: bigint;
}

/** 32 lower-case hex digits. */
export function traceIdText(key: TraceKey): string {
  return hex16(key.high) + hex16(key.low);
}

/** 16 lower-case hex digits of an unsigned 64-bit number. */
export function hex16(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}
