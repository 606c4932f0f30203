// What is committed beside an offset: the intent to insert exactly the records [first, last], with
// all that decides what their rows hold. Whoever reads it later rebuilds the same rows.

import { type Encoding, isEncoding } from '../../model/codec/encoding.ts';
import type { LogSource } from '../../storage/partition_log.ts';

/**
 * The rules by which rows are made of records: translation, order, cut, limits. A change of any is
 * a new version.
 */
export const ROWS_VERSION = 1;

/** Brokers keep at most 4,096 bytes of metadata by default (offset.metadata.max.bytes). */
const METADATA_CHARACTERS_MAX = 4_000;

/** The settings that rows depend on: an intent keeps those that it was made with. */
export interface RowSettings {
  /** Spans older than this before their record are rejected. */
  readonly maxAgeSeconds: number;
  /** Set for a foreign topic: its records are this tenant's, whatever their headers say. */
  readonly tenant: string | undefined;
  /** What its records are written in; otlp_proto unless told. */
  readonly encoding?: Encoding;
}

export interface Intent {
  readonly first: number;
  readonly last: number;
  readonly settings: RowSettings;
}

/** `none`: nothing was under way. `newer`: by a later version. `unreadable`: by someone else. */
export type Note =
  | { readonly kind: 'none'; readonly topicId: string | undefined }
  | { readonly kind: 'intent'; readonly topicId: string; readonly intent: Intent }
  | { readonly kind: 'newer' }
  | { readonly kind: 'unreadable' };

/** Metadata of a commit after which nothing is under way. */
export function plainNote(source: LogSource): string {
  return JSON.stringify({ v: ROWS_VERSION, id: source.topicId });
}

export function intentNote(source: LogSource, intent: Intent): string {
  const { first, last, settings } = intent;
  const { maxAgeSeconds, tenant, encoding } = settings;
  const base = { v: ROWS_VERSION, id: source.topicId, a: first, b: last, age: maxAgeSeconds };
  // JSON leaves out what is undefined.
  return JSON.stringify({ ...base, tenant, enc: encoding });
}

/** Whether records become OTLP before they become rows. */
export function isTranslated({ encoding = 'otlp_proto' }: RowSettings): boolean {
  return encoding !== 'otlp_proto';
}

/** Reads metadata, whoever wrote it. Empty metadata (a group reset by hand) is no intent. */
export function readNote(metadata: string): Note {
  if (metadata === '') return { kind: 'none', topicId: undefined };
  if (metadata.length > METADATA_CHARACTERS_MAX) return { kind: 'unreadable' };
  const { v, id, a, b, age, tenant, enc } = fields(metadata);
  if (!isCount(v)) return { kind: 'unreadable' };
  if (v > ROWS_VERSION) return { kind: 'newer' };
  if (typeof id !== 'string') return { kind: 'unreadable' };
  if (a === undefined && b === undefined) return { kind: 'none', topicId: id };
  const good = isCount(a) && isCount(b) && a <= b && isCount(age);
  if (!good || !(tenant === undefined || typeof tenant === 'string')) return { kind: 'unreadable' };
  if (!(enc === undefined || isEncoding(enc))) return { kind: 'unreadable' };
  const settings = { maxAgeSeconds: age, tenant, ...(enc === undefined ? {} : { encoding: enc }) };
  const intent = { first: a, last: b, settings };
  return { kind: 'intent', topicId: id, intent };
}

function fields(metadata: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(metadata);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
