// One v1 span to the v2 spans that it is made of, by the rules of Zipkin's own converter: each
// service that took part (by its annotations' endpoints) gets a span, and pairs of core annotations
// become times.

import type { Endpoint, Kind, V1Annotation, V1Span, V2Span } from './v1_span.ts';

/** At least one span, the first one's side being that of the first endpoint. */
export function v1ToV2(source: V1Span): V2Span[] {
  const converter = new Converter(source);
  converter.annotations();
  converter.binaryAnnotations();
  return converter.spans;
}

/** Core annotations: client send and receive, server, message producer and consumer, wire. */
type Core = 'cs' | 'cr' | 'sr' | 'ss' | 'ms' | 'mr' | 'ws' | 'wr';

const KIND_OF: Readonly<Record<Core, Kind | undefined>> = {
  cs: 'CLIENT',
  cr: 'CLIENT',
  sr: 'SERVER',
  ss: 'SERVER',
  ms: 'PRODUCER',
  mr: 'CONSUMER',
  ws: undefined,
  wr: undefined,
};

/** An annotation with an endpoint, which a core annotation must have. */
type CoreAnnotation = V1Annotation & { readonly endpoint: Endpoint };

class Converter {
  readonly spans: V2Span[];
  readonly #source: V1Span;
  readonly #first: V2Span;
  readonly #core: { [K in Core]?: CoreAnnotation } = {};
  readonly #byService = new Map<string, V2Span>();

  constructor(source: V1Span) {
    this.#source = source;
    this.#first = this.#copy();
    this.spans = [this.#first];
  }

  annotations(): void {
    for (const annotation of this.#source.annotations) this.#sort(annotation);
    this.#synthesise('cs', this.#core.cr);
    this.#synthesise('sr', this.#core.ss);
    this.#rpc();
    this.#messaging();
  }

  #sort(annotation: V1Annotation): void {
    const span = this.#at(annotation.endpoint);
    const name = annotation.value;
    if (annotation.endpoint === undefined || !isCore(name)) {
      annotate(span, annotation);
      return;
    }
    this.#core[name] = annotation as CoreAnnotation;
    const kind = KIND_OF[name];
    if (kind !== undefined) span.kind = kind;
  }

  /** Converters from spans to events could lose the start: it is there when the end fits. */
  #synthesise(start: 'cs' | 'sr', end: CoreAnnotation | undefined): void {
    const { timestamp, duration } = this.#source;
    if (end === undefined || this.#core[start] !== undefined || timestamp === 0) return;
    if (duration === 0 || timestamp + duration !== end.timestamp) return;
    this.#core[start] = { timestamp, value: start, endpoint: end.endpoint };
  }

  #rpc(): void {
    const { cs, cr, sr, ss } = this.#core;
    const { timestamp, duration } = this.#source;
    if (cs !== undefined && sr !== undefined) this.#bothSides(cs, sr);
    else if (cs !== undefined && cr !== undefined) this.#times(cs, cr);
    else if (sr !== undefined && ss !== undefined) this.#times(sr, ss);
    else this.#incomplete();
    // v1 has no such flag: a server that left the time to its client shares the span with it.
    const leftTime = timestamp === 0 || (ss !== undefined && duration === 0);
    if (cs === undefined && sr !== undefined && leftTime) this.#at(sr.endpoint).shared = true;
  }

  #bothSides(cs: CoreAnnotation, sr: CoreAnnotation): void {
    const { cr, ss } = this.#core;
    this.#times(cs, cr);
    const client = this.#at(cs.endpoint);
    let server = this.#at(sr.endpoint);
    if (sameService(cs.endpoint, sr.endpoint)) {
      client.kind = 'CLIENT';
      server = this.#add(sr.endpoint);
      server.kind = 'SERVER';
    }
    server.shared = true;
    setTime(server, sr.timestamp);
    if (ss !== undefined) setDuration(server, ss.timestamp - sr.timestamp);
    if (cr === undefined && this.#source.duration === 0) delete client.duration;
  }

  #incomplete(): void {
    const { cs, cr, sr, ss } = this.#core;
    for (const span of this.spans) {
      const [start, end] = span.kind === 'CLIENT' ? [cs, cr] : [sr, ss];
      if (span.kind !== 'CLIENT' && span.kind !== 'SERVER') continue;
      if (start !== undefined) setTime(span, start.timestamp);
      if (end !== undefined) annotate(span, end);
    }
    if (this.#source.timestamp === 0) return;
    setTime(this.#first, this.#source.timestamp);
    setDuration(this.#first, this.#source.duration);
  }

  #messaging(): void {
    const { ms, mr, ws, wr } = this.#core;
    if (ms !== undefined && mr !== undefined) this.#bothEnds(ms, mr);
    else if (ms !== undefined) this.#times(ms, ws);
    else if (mr !== undefined) this.#times(wr ?? mr, wr === undefined ? undefined : mr);
    else {
      for (const wire of [ws, wr]) if (wire !== undefined) annotate(this.#at(wire.endpoint), wire);
    }
  }

  #bothEnds(ms: CoreAnnotation, mr: CoreAnnotation): void {
    const { ws, wr } = this.#core;
    const producer = this.#at(ms.endpoint);
    let consumer = this.#at(mr.endpoint);
    if (sameService(ms.endpoint, mr.endpoint)) {
      producer.kind = 'PRODUCER';
      consumer = this.#add(mr.endpoint);
      consumer.kind = 'CONSUMER';
    }
    consumer.shared = true;
    setTime(consumer, (wr ?? mr).timestamp);
    if (wr !== undefined) setDuration(consumer, mr.timestamp - wr.timestamp);
    setTime(producer, ms.timestamp);
    if (ws !== undefined) setDuration(producer, ws.timestamp - ms.timestamp);
  }

  binaryAnnotations(): void {
    const addresses: { ca?: Endpoint; sa?: Endpoint; ma?: Endpoint } = {};
    for (const { key, value, endpoint } of this.#source.binaryAnnotations) {
      if (endpoint !== undefined && isAddress(key, value)) {
        addresses[key as 'ca' | 'sa' | 'ma'] = endpoint;
        continue;
      }
      if (value === true) continue;
      const span = this.#at(endpoint);
      // A marker for local spans, whose only point was its endpoint.
      if (key === 'lc' && value === '') continue;
      span.tags ??= Object.create(null) as Record<string, string>;
      span.tags[key] = value;
    }
    const { cs, cr, sr, ss } = this.#core;
    const noCore = (cs ?? cr ?? sr ?? ss) === undefined;
    if (noCore && (addresses.ca ?? addresses.sa) !== undefined) this.#onlyAddresses(addresses);
    else this.#remotes(addresses);
  }

  #onlyAddresses({ ca, sa }: { ca?: Endpoint; sa?: Endpoint }): void {
    if (ca !== undefined && sa !== undefined) {
      this.#at(ca).remoteEndpoint = sa;
    } else if (sa !== undefined) {
      this.#first.remoteEndpoint = sa;
    } else if (ca !== undefined) {
      this.#first.kind = 'SERVER';
      this.#first.remoteEndpoint = ca;
    }
  }

  #remotes({ ca, sa, ma }: { ca?: Endpoint; sa?: Endpoint; ma?: Endpoint }): void {
    const { cs, cr, sr, ss, ms, mr } = this.#core;
    const server = sr ?? ss;
    if (ca !== undefined && server !== undefined && !sameEndpoint(ca, server.endpoint)) {
      // Finagle names the client's socket by the server's service.
      const { serviceName, ...socket } = ca;
      const named = sameService(ca, server.endpoint)
        ? socket
        : { ...socket, ...named1(serviceName) };
      this.#at(server.endpoint).remoteEndpoint = named;
    }
    const client = cs ?? cr;
    if (sa !== undefined && client !== undefined) this.#at(client.endpoint).remoteEndpoint = sa;
    for (const end of [ms, mr]) {
      if (ma !== undefined && end !== undefined) this.#at(end.endpoint).remoteEndpoint = ma;
    }
  }

  /** The source's own time where it has a whole one, else that of the annotations. */
  #times(begin: CoreAnnotation, end: CoreAnnotation | undefined): void {
    const span = this.#at(begin.endpoint);
    const { timestamp, duration } = this.#source;
    if (timestamp !== 0 && duration !== 0) {
      setTime(span, timestamp);
      setDuration(span, duration);
    } else {
      setTime(span, begin.timestamp);
      if (end !== undefined) setDuration(span, end.timestamp - begin.timestamp);
    }
  }

  /** The span of an endpoint's service; without one, the first span. */
  #at(endpoint: Endpoint | undefined): V2Span {
    if (endpoint === undefined) return this.#first;
    const name = endpoint.serviceName ?? '';
    if (this.#first.localEndpoint === undefined) {
      this.#first.localEndpoint = endpoint;
      this.#byService.set(name, this.#first);
    }
    return this.#byService.get(name) ?? this.#add(endpoint);
  }

  #add(endpoint: Endpoint): V2Span {
    const span = this.#copy();
    span.localEndpoint = endpoint;
    this.spans.push(span);
    const name = endpoint.serviceName ?? '';
    if (!this.#byService.has(name)) this.#byService.set(name, span);
    return span;
  }

  #copy(): V2Span {
    const { traceId, id, parentId, name, debug } = this.#source;
    return {
      traceId,
      id,
      ...(parentId === undefined ? {} : { parentId }),
      ...(name === undefined ? {} : { name }),
      ...(debug ? { debug } : {}),
    };
  }
}

function isCore(name: string): name is Core {
  return name.length === 2 && Object.hasOwn(KIND_OF, name);
}

/** The value should be true; some wrote 1 or its byte. */
function isAddress(key: string, value: string | true): boolean {
  if (key !== 'ca' && key !== 'sa' && key !== 'ma') return false;
  return value === true || value === '1' || value === '\u0001' || value === 'true';
}

function annotate(span: V2Span, { timestamp, value }: V1Annotation): void {
  span.annotations ??= [];
  span.annotations.push({ timestamp, value });
}

function setTime(span: V2Span, micros: number): void {
  if (micros > 0) span.timestamp = micros;
  else delete span.timestamp;
}

function setDuration(span: V2Span, micros: number): void {
  if (micros > 0) span.duration = micros;
  else delete span.duration;
}

function named1(serviceName: string | undefined): Endpoint {
  return serviceName === undefined ? {} : { serviceName };
}

function sameService(a: Endpoint, b: Endpoint): boolean {
  return a.serviceName === b.serviceName;
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    sameService(a, b) && a.ipv4 === b.ipv4 && a.ipv6 === b.ipv6 && (a.port ?? 0) === (b.port ?? 0)
  );
}
