"""Sends a few traces through the stock OpenTelemetry SDK and prints what the SDK recorded, as JSON.

Exits 0 only when every export was accepted. Settings are the SDK's own: OTEL_EXPORTER_OTLP_ENDPOINT,
OTEL_EXPORTER_OTLP_COMPRESSION, OTEL_SERVICE_NAME; OTEL_EXPORTER_OTLP_PROTOCOL chooses the exporter.
"""

import json
import os
import sys
import threading

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter


class Counting(SpanExporter):
    """Passes everything on, and remembers failures, which the batch processor only logs."""

    def __init__(self, inner):
        self.inner = inner
        self.failed = 0

    def export(self, spans):
        result = self.inner.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self.failed += 1
        return result

    def shutdown(self):
        self.inner.shutdown()

    def force_flush(self, timeout_millis=30000):
        return self.inner.force_flush(timeout_millis)


class Recorder(SpanProcessor):
    def __init__(self):
        self.spans = []

    def on_end(self, span):
        self.spans.append(span)


def checkout(provider):
    tracer = provider.get_tracer("smoke", "1.0.0")
    with tracer.start_as_current_span("GET /checkout", kind=SpanKind.SERVER) as root:
        root.set_attributes(
            {
                "app.str": "größe",
                "app.int": 42,
                "app.big": 9007199254740993,
                "app.double": 2.5,
                "app.bool": True,
                "app.strs": ["a", "ü"],
                "app.ints": [1, 2, 3],
                "app.doubles": [0.5, 1.5],
                "app.bools": [True, False],
            }
        )
        with tracer.start_as_current_span("charge", kind=SpanKind.CLIENT) as charge:
            charge.add_event("retry", {"attempt": 2, "reason": "timeout"})
            charge.set_status(Status(StatusCode.ERROR, "card declined"))
        with tracer.start_as_current_span("orders publish", kind=SpanKind.PRODUCER) as publish:
            pass
        worker = provider.get_tracer("smoke.worker")
        links = [Link(publish.get_span_context())]
        with worker.start_as_current_span(
            "orders process", kind=SpanKind.CONSUMER, links=links
        ) as process:
            process.set_status(Status(StatusCode.OK))
        with worker.start_as_current_span("render"):
            pass


def attributes(bag):
    """Ints are printed as text: a JSON reader would lose digits beyond 2^53."""
    out = []
    for key, value in bag.items():
        if isinstance(value, bool):
            out.append({"key": key, "type": "bool", "value": value})
        elif isinstance(value, int):
            out.append({"key": key, "type": "int", "value": str(value)})
        elif isinstance(value, float):
            out.append({"key": key, "type": "double", "value": value})
        elif isinstance(value, str):
            out.append({"key": key, "type": "string", "value": value})
        else:
            out.append({"key": key, "type": "array", "value": list(value)})
    return out


def describe(span):
    return {
        "traceId": format(span.context.trace_id, "032x"),
        "spanId": format(span.context.span_id, "016x"),
        "parentSpanId": format(span.parent.span_id, "016x") if span.parent else "",
        "name": span.name,
        "kind": span.kind.name.lower(),
        "startUnixNanos": str(span.start_time),
        "endUnixNanos": str(span.end_time),
        "attributes": attributes(span.attributes),
        "events": [
            {
                "name": event.name,
                "timeUnixNanos": str(event.timestamp),
                "attributes": attributes(event.attributes),
            }
            for event in span.events
        ],
        "links": [
            {
                "traceId": format(link.context.trace_id, "032x"),
                "spanId": format(link.context.span_id, "016x"),
            }
            for link in span.links
        ],
        "status": span.status.status_code.name.lower(),
        "statusMessage": span.status.description or "",
        "scopeName": span.instrumentation_scope.name,
        "scopeVersion": span.instrumentation_scope.version or "",
    }


def main():
    resource = Resource.create({"app.pods": 3})
    provider = TracerProvider(resource=resource)
    recorder = Recorder()
    exporter = Counting(OTLPSpanExporter())
    provider.add_span_processor(recorder)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    workers = [
        threading.Thread(target=checkout, args=(provider,))
        for _ in range(int(os.environ["SMOKE_TRACES"]))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    provider.shutdown()
    sent = {
        "resource": attributes(resource.attributes),
        "spans": [describe(span) for span in recorder.spans],
    }
    print(json.dumps(sent))
    sys.exit(1 if exporter.failed else 0)


main()
