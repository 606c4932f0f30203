// Whom a span of another protocol spoke to, as Zipkin's remoteEndpoint: OpenTelemetry's
// specification ranks the attributes that say so ("OpenTelemetry to Zipkin Transformation").

import type { SpanKind, Value } from '../../span.ts';
import { PEER_ADDRESS, PEER_PORT, PEER_SERVICE } from './attribute_names.ts';
import type { Endpoint } from './v1_span.ts';

/**
 * Of spans that call, send or receive: of a span that serves, these name the server itself. What is
 * an address in numbers is no name: a graph of thousands of them says nothing.
 * In step with storage/clickhouse/schema (remote_services).
 */
export const HOST_NAMES = [
  'server.address',
  'net.peer.name',
  'server.socket.domain',
  'net.sock.peer.name',
  'peer.hostname',
  'db.namespace',
  'db.name',
] as const;

const PEER_ADDRESSES: readonly (readonly [address: string, port: string])[] = [
  [PEER_ADDRESS, PEER_PORT],
  ['net.sock.peer.addr', 'net.sock.peer.port'],
  ['peer.address', 'peer.port'],
];
const SERVER_ADDRESSES: typeof PEER_ADDRESSES = [
  ['server.socket.address', 'server.socket.port'],
  ['server.address', 'server.port'],
  ['net.peer.name', 'net.peer.port'],
];

/** OTLP SpanKind: client, producer and consumer follow each other. */
const CLIENT = 3;

type Attributes = ReadonlyMap<string, Value>;

/** undefined where nothing says it. */
export function foreignRemote(attributes: Attributes, kind: SpanKind): Endpoint | undefined {
  const calls = kind >= CLIENT;
  const serviceName = textOf(attributes, PEER_SERVICE) ?? (calls ? hostOf(attributes) : undefined);
  const places = calls ? [...PEER_ADDRESSES, ...SERVER_ADDRESSES] : PEER_ADDRESSES;
  const at = places.find(([name]) => isAddress(textOf(attributes, name) ?? ''));
  const address = at === undefined ? '' : (textOf(attributes, at[0]) as string);
  // The port of what only has a name.
  const port = portOf(attributes, (at ?? SERVER_ADDRESSES[1]!)[1]);
  const found: Endpoint = {
    ...(serviceName === undefined ? {} : { serviceName }),
    ...(isIpv4(address) ? { ipv4: address } : {}),
    ...(isIpv6(address) ? { ipv6: address } : {}),
    ...(port === undefined || (at === undefined && serviceName === undefined) ? {} : { port }),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

function hostOf(attributes: Attributes): string | undefined {
  for (const name of HOST_NAMES) {
    const text = textOf(attributes, name);
    if (text !== undefined && !isAddress(text)) return text;
  }
  return undefined;
}

function isAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

function isIpv4(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(text);
}

function isIpv6(text: string): boolean {
  return text.includes(':');
}

function textOf(attributes: Attributes, name: string): string | undefined {
  const value = attributes.get(name);
  return value?.type === 'string' && value.value !== '' ? value.value : undefined;
}

/** Jaeger's clients send it as an integer, some as text. */
function portOf(attributes: Attributes, name: string): number | undefined {
  const value = attributes.get(name);
  const port = value?.type === 'int' || value?.type === 'string' ? Number(value.value) : 0;
  return Number.isInteger(port) && port > 0 && port <= 0xffff ? port : undefined;
}
