// One trace by OpenTelemetry's Zipkin exporter, sent to where its own variable says; prints what it
// recorded. The exporter tells no service name.
use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_zipkin::ZipkinExporter;

fn main() {
    let exporter = ZipkinExporter::builder().build().expect("exporter");
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
    let tracer = provider.tracer("smoke");
    let mut root = tracer.span_builder("GET /checkout").with_kind(SpanKind::Server).start(&tracer);
    root.set_attribute(KeyValue::new("app.str", "größe"));
    let context = Context::current_with_span(root);
    let mut child =
        tracer.span_builder("charge").with_kind(SpanKind::Client).start_with_context(&tracer, &context);
    child.add_event("retry", vec![]);
    child.set_status(Status::error("card declined"));
    let inner = child.span_context().span_id();
    child.end();
    let outer = context.span().span_context().clone();
    context.span().end();
    provider.shutdown().expect("shutdown");
    println!(
        "{{\"traceId\":\"{}\",\"spans\":[{{\"id\":\"{}\",\"parent\":\"\",\"name\":\"GET /checkout\",\"kind\":\"server\",\"tags\":{{\"app.str\":\"größe\"}}}},{{\"id\":\"{}\",\"parent\":\"{}\",\"name\":\"charge\",\"kind\":\"client\",\"error\":\"card declined\",\"event\":\"retry\"}}]}}",
        outer.trace_id(), outer.span_id(), inner, outer.span_id()
    );
}
