// ExportTraceServiceRequest as plain objects, named as OTLP names them. 64-bit numbers are decimal
// strings, as protobufjs takes them.

export interface PlainUnknown {
  readonly unknownVarint?: string;
  readonly unknownFixed64?: string;
  readonly unknownBytes?: Uint8Array;
  readonly unknownFixed32?: number;
}

export interface PlainValue extends PlainUnknown {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly PlainValue[] };
  readonly kvlistValue?: { readonly values: readonly PlainAttribute[] };
  readonly bytesValue?: Uint8Array;
}

export interface PlainAttribute extends PlainUnknown {
  readonly key?: string;
  readonly value?: PlainValue;
}

export interface PlainEvent extends PlainUnknown {
  readonly timeUnixNano?: string;
  readonly name?: string;
  readonly attributes?: readonly PlainAttribute[];
  readonly droppedAttributesCount?: number;
}

export interface PlainLink extends PlainUnknown {
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly traceState?: string;
  readonly attributes?: readonly PlainAttribute[];
  readonly droppedAttributesCount?: number;
  readonly flags?: number;
}

export interface PlainSpan extends PlainUnknown {
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  readonly traceState?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly attributes?: readonly PlainAttribute[];
  readonly droppedAttributesCount?: number;
  readonly events?: readonly PlainEvent[];
  readonly droppedEventsCount?: number;
  readonly links?: readonly PlainLink[];
  readonly droppedLinksCount?: number;
  readonly status?: PlainUnknown & { readonly message?: string; readonly code?: number };
  readonly flags?: number;
}

export interface PlainScope extends PlainUnknown {
  readonly name?: string;
  readonly version?: string;
  readonly attributes?: readonly PlainAttribute[];
  readonly droppedAttributesCount?: number;
}

export interface PlainResource extends PlainUnknown {
  readonly attributes?: readonly PlainAttribute[];
  readonly droppedAttributesCount?: number;
  readonly entityRefs?: readonly { readonly schemaUrl?: string; readonly type?: string }[];
}

export interface PlainScopeSpans extends PlainUnknown {
  readonly scope?: PlainScope;
  readonly spans?: readonly PlainSpan[];
  readonly schemaUrl?: string;
}

export interface PlainResourceSpans extends PlainUnknown {
  readonly resource?: PlainResource;
  readonly scopeSpans?: readonly PlainScopeSpans[];
  readonly schemaUrl?: string;
}

export interface PlainRequest extends PlainUnknown {
  readonly resourceSpans?: readonly PlainResourceSpans[];
}
