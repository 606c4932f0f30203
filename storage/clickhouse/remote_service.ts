// Whom a span spoke to, by name: what model/codec/zipkin shows as remoteEndpoint, as an expression
// on rows of `spans`. The view of `remote_services` (schema/0004) has the same.

import * as names from '../../model/codec/zipkin/attribute_names.ts';
import { HOST_NAMES } from '../../model/codec/zipkin/remote_endpoint.ts';
import { keyValueHash } from '../../model/hash.ts';

/** Scope of spans that came as Zipkin: no bytes, and the schema URL that the codec gives them. */
export const ZIPKIN_SCOPE_ID = keyValueHash(names.ZIPKIN_SCHEMA, '');

const HOSTS = HOST_NAMES.map((name) => `attr_s['${name}']`).join(', ');

/** A String; '' where nothing says it. */
export const REMOTE_SERVICE = `multiIf(
    mapContains(attr_b, '${names.REMOTE}'), attr_s['${names.REMOTE_SERVICE}'],
    attr_s['${names.PEER_SERVICE}'] != '', attr_s['${names.PEER_SERVICE}'],
    kind < 3 OR scope_id = ${ZIPKIN_SCOPE_ID}, '',
    arrayFirst(
      name -> name != '' AND NOT match(name, '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$') AND position(name, ':') = 0,
      [${HOSTS}]))`;

/** Attributes that can hold the name, so that an index over key=value can tell where it is not. */
export const REMOTE_SERVICE_KEYS: readonly string[] = [
  names.REMOTE_SERVICE,
  names.PEER_SERVICE,
  ...HOST_NAMES,
];
