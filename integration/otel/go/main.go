// Sends a few traces through the stock OpenTelemetry SDK and prints what the SDK recorded, as JSON.
// Exits 0 only when every export was accepted. Settings are the SDK's own: OTEL_EXPORTER_OTLP_ENDPOINT,
// OTEL_EXPORTER_OTLP_COMPRESSION, OTEL_SERVICE_NAME; OTEL_EXPORTER_OTLP_PROTOCOL chooses the exporter.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	traces, err := strconv.Atoi(os.Getenv("SMOKE_TRACES"))
	if err != nil {
		return fmt.Errorf("SMOKE_TRACES: %w", err)
	}
	exporter, err := newExporter(ctx)
	if err != nil {
		return err
	}
	res, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return err
	}
	recorder := &recorder{}
	provider := sdk.NewTracerProvider(sdk.WithResource(res), sdk.WithSpanProcessor(recorder), sdk.WithBatcher(exporter))
	var workers sync.WaitGroup
	for range traces {
		workers.Go(func() { checkout(provider) })
	}
	workers.Wait()
	if err := provider.ForceFlush(ctx); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("shutdown: %w", err)
	}
	return recorder.print(res)
}

func newExporter(ctx context.Context) (*otlptrace.Exporter, error) {
	if protocol := os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"); protocol == "grpc" {
		return otlptracegrpc.New(ctx)
	} else if protocol == "http/protobuf" {
		return otlptracehttp.New(ctx)
	} else {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is grpc or http/protobuf, not %q", protocol)
	}
}

func checkout(provider trace.TracerProvider) {
	tracer := provider.Tracer("smoke", trace.WithInstrumentationVersion("1.0.0"))
	ctx, root := tracer.Start(context.Background(), "GET /checkout", trace.WithSpanKind(trace.SpanKindServer))
	root.SetAttributes(
		attribute.String("app.str", "größe"),
		attribute.Int("app.int", 42),
		attribute.Int64("app.big", 9007199254740993),
		attribute.Float64("app.double", 2.5),
		attribute.Bool("app.bool", true),
		attribute.StringSlice("app.strs", []string{"a", "ü"}),
		attribute.IntSlice("app.ints", []int{1, 2, 3}),
		attribute.Float64Slice("app.doubles", []float64{0.5, 1.5}),
		attribute.BoolSlice("app.bools", []bool{true, false}),
	)
	_, charge := tracer.Start(ctx, "charge", trace.WithSpanKind(trace.SpanKindClient))
	charge.AddEvent("retry", trace.WithAttributes(attribute.Int("attempt", 2), attribute.String("reason", "timeout")))
	charge.SetStatus(codes.Error, "card declined")
	charge.End()
	_, publish := tracer.Start(ctx, "orders publish", trace.WithSpanKind(trace.SpanKindProducer))
	publish.End()
	other := provider.Tracer("smoke.worker")
	_, process := other.Start(ctx, "orders process", trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithLinks(trace.Link{SpanContext: publish.SpanContext()}))
	process.SetStatus(codes.Ok, "")
	process.End()
	_, render := other.Start(ctx, "render")
	render.End()
	root.End()
}
