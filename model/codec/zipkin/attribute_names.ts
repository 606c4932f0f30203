// What stands where of a Zipkin span that OTLP has no field for. Names are OpenTelemetry's semantic
// conventions where there is one; README.md has the whole mapping.

/**
 * Schema URL of the scope of every span that came as Zipkin: it is shown nowhere, and tells the way
 * back (to_json.ts) that attributes are tags and what the names below stand for.
 */
export const ZIPKIN_SCHEMA = 'urn:zipkin:span:2';

/** On the resource: localEndpoint. */
export const SERVICE_NAME = 'service.name';
export const LOCAL_ADDRESS = 'network.local.address';
export const LOCAL_PORT = 'network.local.port';
/** Only beside an IPv4 address, which is the address then. */
export const LOCAL_IPV6 = 'zipkin.local.ipv6';

/** On the span: remoteEndpoint, when no tag has one of these names. */
export const PEER_SERVICE = 'peer.service';
export const PEER_ADDRESS = 'network.peer.address';
export const PEER_PORT = 'network.peer.port';
export const PEER_IPV6 = 'zipkin.peer.ipv6';

/** On the span: remoteEndpoint, when a tag has a name above. `REMOTE` says whether there is one. */
export const REMOTE = 'zipkin.remote';
export const REMOTE_SERVICE = 'zipkin.remote.service';
export const REMOTE_ADDRESS = 'zipkin.remote.address';
export const REMOTE_PORT = 'zipkin.remote.port';
export const REMOTE_IPV6 = 'zipkin.remote.ipv6';

export const DEBUG = 'zipkin.debug';
export const SHARED = 'zipkin.shared';
/** The name that the OpenTelemetry Collector gives to a start time that was not sent. */
export const NO_TIMESTAMP = 'otel.zipkin.absentField.startTime';
/** false: the status is an error by `otel.status_code` alone, there was no tag `error`. */
export const ERROR_TAG = 'zipkin.error';

/** Before the name of a tag that would be taken for one of the above. */
export const TAG_PREFIX = 'zipkin.tag.';

export const ERROR = 'error';
export const STATUS_CODE = 'otel.status_code';

/** Names that decide how remoteEndpoint is written. */
export const PEER_NAMES: ReadonlySet<string> = new Set([PEER_SERVICE, PEER_ADDRESS, PEER_PORT]);

/** Names that only we write: a tag of such a name gets TAG_PREFIX. */
export const OUR_NAMES: ReadonlySet<string> = new Set([
  PEER_IPV6,
  REMOTE,
  REMOTE_SERVICE,
  REMOTE_ADDRESS,
  REMOTE_PORT,
  REMOTE_IPV6,
  DEBUG,
  SHARED,
  NO_TIMESTAMP,
  ERROR_TAG,
]);
