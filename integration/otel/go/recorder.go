package main

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// recorder keeps what the SDK says a span is, beside the exporter and independent of it.
type recorder struct {
	mu    sync.Mutex
	spans []map[string]any
}

func (r *recorder) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (r *recorder) Shutdown(context.Context) error             { return nil }
func (r *recorder) ForceFlush(context.Context) error           { return nil }

func (r *recorder) OnEnd(s sdk.ReadOnlySpan) {
	events := []map[string]any{}
	for _, e := range s.Events() {
		events = append(events, map[string]any{
			"name": e.Name, "timeUnixNanos": strconv.FormatInt(e.Time.UnixNano(), 10),
			"attributes": attributes(e.Attributes),
		})
	}
	links := []map[string]any{}
	for _, l := range s.Links() {
		links = append(links, map[string]any{
			"traceId": l.SpanContext.TraceID().String(), "spanId": l.SpanContext.SpanID().String(),
		})
	}
	parent := ""
	if s.Parent().HasSpanID() {
		parent = s.Parent().SpanID().String()
	}
	span := map[string]any{
		"traceId": s.SpanContext().TraceID().String(), "spanId": s.SpanContext().SpanID().String(),
		"parentSpanId": parent, "name": s.Name(), "kind": s.SpanKind().String(),
		"startUnixNanos": strconv.FormatInt(s.StartTime().UnixNano(), 10),
		"endUnixNanos":   strconv.FormatInt(s.EndTime().UnixNano(), 10),
		"attributes":     attributes(s.Attributes()), "events": events, "links": links,
		"status":        strings.ToLower(s.Status().Code.String()),
		"statusMessage": s.Status().Description,
		"scopeName":     s.InstrumentationScope().Name, "scopeVersion": s.InstrumentationScope().Version,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = append(r.spans, span)
}

func (r *recorder) print(res *resource.Resource) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"resource": attributes(res.Attributes()), "spans": r.spans,
	})
}

// attributes: ints are printed as text, since JSON readers lose digits beyond 2^53.
func attributes(kvs []attribute.KeyValue) []map[string]any {
	out := []map[string]any{}
	for _, kv := range kvs {
		var kind string
		var value any = kv.Value.AsInterface()
		switch kv.Value.Type() {
		case attribute.STRING:
			kind = "string"
		case attribute.INT64:
			kind, value = "int", strconv.FormatInt(kv.Value.AsInt64(), 10)
		case attribute.FLOAT64:
			kind = "double"
		case attribute.BOOL:
			kind = "bool"
		default:
			kind = "array"
		}
		out = append(out, map[string]any{"key": string(kv.Key), "type": kind, "value": value})
	}
	return out
}
