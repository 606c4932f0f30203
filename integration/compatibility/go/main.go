// One trace by the tracer that argv names, sent to where TRACES_TO says; prints what it recorded.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	otlog "github.com/opentracing/opentracing-go/log"
	"github.com/openzipkin/zipkin-go"
	"github.com/openzipkin/zipkin-go/model"
	"github.com/openzipkin/zipkin-go/proto/zipkin_proto3"
	reporterhttp "github.com/openzipkin/zipkin-go/reporter/http"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	otelzipkin "go.opentelemetry.io/otel/exporters/zipkin"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type span struct {
	Id     string         `json:"id"`
	Parent string         `json:"parent"`
	Name   string         `json:"name"`
	Kind   string         `json:"kind"`
	Tags   map[string]any `json:"tags,omitempty"`
	Error  string         `json:"error,omitempty"`
	Event  string         `json:"event,omitempty"`
}

var to = os.Getenv("TRACES_TO")
var service = os.Getenv("SERVICE")

func show(traceId string, root string, child string, first string, childTags map[string]any) {
	spans := []span{
		{Id: root, Name: first, Kind: "server", Tags: map[string]any{"app.str": "größe"}},
		{Id: child, Parent: root, Name: "charge", Kind: "client", Tags: childTags, Event: "retry"},
	}
	if childTags == nil {
		spans[1].Error = "card declined"
	}
	out, err := json.Marshal(map[string]any{"traceId": traceId, "spans": spans})
	check(err)
	fmt.Println(string(out))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func zipkinGo(first string, options ...reporterhttp.ReporterOption) {
	reporter := reporterhttp.NewReporter(to+"/api/v2/spans", options...)
	endpoint, err := zipkin.NewEndpoint(service, "127.0.0.1:8080")
	check(err)
	tracer, err := zipkin.NewTracer(reporter, zipkin.WithLocalEndpoint(endpoint), zipkin.WithSharedSpans(false))
	check(err)
	root := tracer.StartSpan("GET /checkout", zipkin.Kind(model.Server))
	root.Tag("app.str", "größe")
	child := tracer.StartSpan("charge", zipkin.Kind(model.Client), zipkin.Parent(root.Context()))
	child.Annotate(time.Now(), "retry")
	zipkin.TagError.Set(child, "card declined")
	time.Sleep(time.Millisecond)
	child.Finish()
	root.Finish()
	check(reporter.Close())
	show(root.Context().TraceID.String(), root.Context().ID.String(), child.Context().ID.String(), first, nil)
}

func otel() {
	exporter, err := otelzipkin.New("")
	check(err)
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", service))))
	ctx, root := provider.Tracer("smoke").Start(context.Background(), "GET /checkout", trace.WithSpanKind(trace.SpanKindServer))
	root.SetAttributes(attribute.String("app.str", "größe"))
	_, child := provider.Tracer("smoke").Start(ctx, "charge", trace.WithSpanKind(trace.SpanKindClient))
	child.AddEvent("retry")
	child.SetStatus(codes.Error, "card declined")
	child.End()
	root.End()
	check(provider.Shutdown(context.Background()))
	show(root.SpanContext().TraceID().String(), root.SpanContext().SpanID().String(), child.SpanContext().SpanID().String(), "get /checkout", nil)
}

func jaegerGo(reporter *config.ReporterConfig) {
	settings := config.Configuration{ServiceName: service, Reporter: reporter,
		Sampler: &config.SamplerConfig{Type: "const", Param: 1}}
	tracer, closer, err := settings.NewTracer()
	check(err)
	root := tracer.StartSpan("GET /checkout", ext.SpanKindRPCServer)
	root.SetTag("app.str", "größe")
	child := tracer.StartSpan("charge", opentracing.ChildOf(root.Context()), ext.SpanKindRPCClient)
	child.SetTag("error", true)
	child.LogFields(otlog.Event("retry"))
	child.Finish()
	root.Finish()
	check(closer.Close())
	at := root.Context().(jaeger.SpanContext)
	inner := child.Context().(jaeger.SpanContext)
	show(fmt.Sprintf("%016x", at.TraceID().Low), fmt.Sprintf("%016x", uint64(at.SpanID())),
		fmt.Sprintf("%016x", uint64(inner.SpanID())), "GET /checkout", map[string]any{"error": true})
}

func main() {
	switch os.Args[1] {
	case "zipkin-go-json":
		zipkinGo("get /checkout")
	case "zipkin-go-proto":
		zipkinGo("GET /checkout", reporterhttp.Serializer(zipkin_proto3.SpanSerializer{}))
	case "otel":
		otel()
	case "jaeger-udp":
		jaegerGo(&config.ReporterConfig{LocalAgentHostPort: to})
	case "jaeger-http":
		jaegerGo(&config.ReporterConfig{CollectorEndpoint: to + "/api/traces"})
	}
}
