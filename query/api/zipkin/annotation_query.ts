// `annotationQuery` of Zipkin's search: `error and http.method=GET` (zipkin.md §2).

import { RefusalError } from '../../../service/refusal.ts';

export interface AnnotationQuery {
  /** Tags of one key have one value: the last one that was given. */
  readonly tags: ReadonlyMap<string, string>;
  /** Each is the text of an annotation or the key of a tag. */
  readonly words: ReadonlySet<string>;
}

/** Each term is a condition on the spans of a whole window; Zipkin's own form makes a handful. */
const TERMS_MAX = 32;
/** As long as a stored key may be. */
const KEY_CHARS_MAX = 1024;
/** What fits a URL; longer values are stored, but nobody types them. */
const VALUE_CHARS_MAX = 4096;

/** The first `=` ends a key; ` and ` cannot be part of a term. Throws RefusalError `malformed`. */
export function parseAnnotationQuery(text: string): AnnotationQuery {
  const tags = new Map<string, string>();
  const words = new Set<string>();
  const terms = text.split(' and ');
  if (terms.length > TERMS_MAX) {
    refuse(`annotationQuery has ${terms.length} terms: at most ${TERMS_MAX} may be given`);
  }
  for (const term of terms) {
    const at = term.indexOf('=');
    const key = (at === -1 ? term : term.slice(0, at)).trim();
    const value = at === -1 ? '' : term.slice(at + 1).trim();
    if (key.length > KEY_CHARS_MAX) {
      refuse(`annotationQuery has a key of ${key.length} characters: at most ${KEY_CHARS_MAX}`);
    }
    if (value.length > VALUE_CHARS_MAX) {
      refuse(
        `annotationQuery has a value of ${value.length} characters: at most ${VALUE_CHARS_MAX}`,
      );
    }
    if (key === '') continue;
    if (value !== '') {
      tags.set(key, value);
      words.delete(key);
    } else if (!tags.has(key)) words.add(key);
  }
  return { tags, words };
}

function refuse(message: string): never {
  throw new RefusalError({ code: 'malformed', message });
}
