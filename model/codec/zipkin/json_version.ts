// Which of Zipkin's two JSON forms a message is in, where nothing beside it says so (a Kafka topic
// has no path). By the first key that only one of them has; without any, both mean the same by it.

import { JsonScanner } from '../otlp/json_scan.ts';

/** Throws JsonProblem for what is no JSON up to the key that decides. */
export function jsonVersion(json: Uint8Array): 1 | 2 {
  const scan = new JsonScanner(json);
  if (!scan.took(0x5b) || scan.peek() === 0x5d) return 2;
  do {
    const version = ofSpan(scan);
    if (version !== undefined) return version;
  } while (scan.took(0x2c));
  return 2;
}

const ONLY_V2: ReadonlySet<string> = new Set([
  'kind',
  'localEndpoint',
  'remoteEndpoint',
  'shared',
  'tags',
]);

const KEY_CHARS_MAX = 32;

function ofSpan(scan: JsonScanner): 1 | 2 | undefined {
  if (!scan.took(0x7b) || scan.took(0x7d)) return undefined;
  do {
    const key = keyOf(scan);
    if (key === 'binaryAnnotations') return 1;
    if (ONLY_V2.has(key)) return 2;
    if (key === 'annotations' && scan.peek() === 0x5b) {
      if (hasEndpoint(scan)) return 1;
    } else scan.skip();
  } while (scan.took(0x2c));
  scan.expect(0x7d);
  return undefined;
}

/** Annotations of v1 say where they were made. */
function hasEndpoint(scan: JsonScanner): boolean {
  scan.expect(0x5b);
  if (scan.took(0x5d)) return false;
  do {
    if (scan.peek() !== 0x7b) {
      scan.skip();
      continue;
    }
    scan.expect(0x7b);
    if (scan.took(0x7d)) continue;
    do {
      if (keyOf(scan) === 'endpoint') return true;
      scan.skip();
    } while (scan.took(0x2c));
    scan.expect(0x7d);
  } while (scan.took(0x2c));
  scan.expect(0x5d);
  return false;
}

/** Reads a key and its colon; '' for one that is longer than any of ours. */
function keyOf(scan: JsonScanner): string {
  scan.string();
  const key = scan.to - scan.from > KEY_CHARS_MAX ? '' : scan.latin1();
  scan.expect(0x3a);
  return key;
}
