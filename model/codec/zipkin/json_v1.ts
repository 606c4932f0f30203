// Zipkin v1 JSON to OTLP bytes: a span at a time as objects, since few send it any more.

import { SPAN_BYTES_MAX } from '../../limits.ts';
import { JsonProblem, JsonScanner } from '../otlp/json_scan.ts';
import { type Decoded, decoded, ZipkinProblem } from './decoded.ts';
import { readHexId } from './hex_id.ts';
import { ipv6Text, isIpv4, parseIpv6 } from './ip_text.ts';
import { micros } from './span_draft.ts';
import { V1Batch } from './v1_batch.ts';
import type { Endpoint, V1Annotation, V1BinaryAnnotation, V1Span } from './v1_span.ts';

/** `nowMicros` (Unix) is given to spans without any time. */
export function jsonV1ToOtlp(json: Uint8Array, nowMicros: number): Decoded {
  return decoded('json', () => {
    const batch = new V1Batch(nowMicros, json.length);
    try {
      readList(json, batch);
    } catch (error) {
      if (!(error instanceof JsonProblem)) throw error;
      throw new ZipkinProblem(`Malformed: ${error.message}`);
    }
    return batch.finish();
  });
}

function readList(json: Uint8Array, batch: V1Batch): void {
  const scan = new JsonScanner(json);
  if (scan.peek() === -1) return;
  if (scan.peek() !== 0x5b) throw new ZipkinProblem('Malformed');
  scan.expect(0x5b);
  if (!scan.took(0x5d)) {
    let index = 0;
    do {
      scan.peek();
      const from = scan.at;
      // Checks syntax and depth, so that JSON.parse cannot be made to recurse.
      scan.skip();
      if (scan.at - from > SPAN_BYTES_MAX) {
        throw new ZipkinProblem(`A span of more than ${SPAN_BYTES_MAX} bytes at $[${index}]`);
      }
      const text = Buffer.from(json.buffer, json.byteOffset + from, scan.at - from).toString();
      batch.add(readSpan(JSON.parse(text) as unknown, `$[${index}]`));
      index += 1;
    } while (scan.took(0x2c));
    scan.expect(0x5d);
  }
  scan.end();
}

function readSpan(json: unknown, path: string): V1Span {
  const span = objectOf(json, path);
  const name = optionalText(span['name'], `${path}.name`);
  const parentId = optionalText(span['parentId'], `${path}.parentId`);
  if (span['traceId'] === undefined || span['id'] === undefined) {
    const missing = ['traceId', 'id'].filter((key) => span[key] === undefined);
    throw new ZipkinProblem(`Missing : ${missing.join(' ')}`);
  }
  const id = normalId(textOf(span['id'], `${path}.id`), 16, 'id');
  const parent = parentId && !/^0{1,16}$/.test(parentId) ? normalId(parentId, 16, 'parentId') : id;
  return {
    traceId: normalId(textOf(span['traceId'], `${path}.traceId`), 32, 'traceId'),
    id,
    ...(parent === id ? {} : { parentId: parent }),
    ...(name === '' ? {} : { name }),
    timestamp: optionalLong(span['timestamp'], `${path}.timestamp`),
    duration: optionalLong(span['duration'], `${path}.duration`),
    debug: span['debug'] === true,
    annotations: listOf(span['annotations'], `${path}.annotations`).map(readAnnotation),
    binaryAnnotations: listOf(span['binaryAnnotations'], `${path}.binaryAnnotations`).flatMap(
      readBinaryAnnotation,
    ),
  };
}

function readAnnotation({ item, path }: Item): V1Annotation {
  const annotation = objectOf(item, path);
  const { timestamp, value } = annotation;
  if (timestamp !== undefined && value !== undefined) {
    return {
      timestamp: long(timestamp, `${path}.timestamp`),
      value: textOf(value, `${path}.value`),
      endpoint: readEndpoint(annotation['endpoint'], `${path}.endpoint`),
    };
  }
  const what = timestamp === undefined ? 'value' : 'timestamp';
  throw new ZipkinProblem(`Incomplete annotation at ${path}.${what}`);
}

/** Strings and addresses only: v2 has no other tags. */
function readBinaryAnnotation({ item, path }: Item): V1BinaryAnnotation[] {
  const annotation = objectOf(item, path);
  const key = textOf(annotation['key'], `${path}.key`);
  const { value } = annotation;
  if (value === undefined || value === null) throw new ZipkinProblem(`No value at ${path}`);
  const endpoint = readEndpoint(annotation['endpoint'], `${path}.endpoint`);
  return typeof value === 'string' || value === true ? [{ key, value, endpoint }] : [];
}

function readEndpoint(json: unknown, path: string): Endpoint | undefined {
  if (json === undefined || json === null) return undefined;
  const from = objectOf(json, path);
  const serviceName = optionalText(from['serviceName'], `${path}.serviceName`);
  const port = optionalLong(from['port'], `${path}.port`);
  if (port > 0xffff) throw new ZipkinProblem(`invalid port ${port}`);
  const endpoint: Endpoint = {
    ...(serviceName === '' ? {} : { serviceName }),
    ...address(optionalText(from['ipv4'], `${path}.ipv4`)),
    ...address(optionalText(from['ipv6'], `${path}.ipv6`)),
    ...(port === 0 ? {} : { port }),
  };
  return Object.keys(endpoint).length === 0 ? undefined : endpoint;
}

/** What is no address is ignored. */
function address(text: string): Endpoint {
  const bytes = Buffer.from(text, 'latin1');
  if (isIpv4(bytes, 0, bytes.length)) return { ipv4: text };
  const ip = parseIpv6(text);
  return ip === undefined ? {} : ipv6Text(ip);
}

function normalId(text: string, digits: number, name: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const id = Buffer.alloc(digits / 2);
  readHexId(bytes, 0, bytes.length, id, name);
  return id.toString('hex');
}

interface Item {
  readonly item: unknown;
  readonly path: string;
}

function listOf(json: unknown, path: string): Item[] {
  if (json === undefined || json === null) return [];
  if (!Array.isArray(json)) throw wrong('an array', json, path);
  return json.map((item: unknown, i) => ({ item, path: `${path}[${i}]` }));
}

function objectOf(json: unknown, path: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw wrong('an object', json, path);
  }
  return json as Record<string, unknown>;
}

function optionalText(json: unknown, path: string): string {
  return json === undefined || json === null ? '' : textOf(json, path);
}

function textOf(json: unknown, path: string): string {
  if (typeof json !== 'string') throw wrong('a string', json, path);
  return json;
}

function optionalLong(json: unknown, path: string): number {
  return json === undefined || json === null ? 0 : long(json, path);
}

/** µs, or a port: a number or a string of one. */
function long(json: unknown, path: string): number {
  const isNumber = typeof json === 'string' && /^-?\d{1,20}$/.test(json);
  const value = isNumber ? Number(json) : json;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong('a long', json, path);
  return micros(value);
}

/** Gson's words. */
function wrong(expected: string, found: unknown, path: string): ZipkinProblem {
  const type =
    found === null
      ? 'NULL'
      : Array.isArray(found)
        ? 'BEGIN_ARRAY'
        : typeof found === 'object'
          ? 'BEGIN_OBJECT'
          : found === undefined
            ? 'END_OBJECT'
            : (typeof found).toUpperCase();
  return new ZipkinProblem(`Expected ${expected} but was ${type} at ${path}`);
}
