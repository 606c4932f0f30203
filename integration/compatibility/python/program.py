# One trace by the tracer that argv names, sent to where TRACES_TO says; prints what it recorded.
import json
import os
import sys
import time
import urllib.request

TO = os.environ["TRACES_TO"]
SERVICE = os.environ["SERVICE"]


def show(trace_id, spans):
    print(json.dumps({"traceId": trace_id, "spans": spans}))


def py_zipkin(encoding_name, path, content_type):
    from py_zipkin import Encoding, Kind
    from py_zipkin.zipkin import zipkin_span

    def post(body):
        data = body if isinstance(body, bytes) else body.encode()
        request = urllib.request.Request(TO + path, data, {"Content-Type": content_type})
        assert urllib.request.urlopen(request).status == 202

    options = {"encoding": getattr(Encoding, encoding_name)}
    with zipkin_span(service_name=SERVICE, span_name="GET /checkout", transport_handler=post,
                     sample_rate=100, kind=Kind.SERVER, port=8080,
                     binary_annotations={"app.str": "größe"}, **options) as root:
        ids = root.zipkin_attrs
        with zipkin_span(service_name=SERVICE, span_name="charge", kind=Kind.CLIENT,
                         binary_annotations={"error": "card declined"}) as child:
            child.add_annotation("retry")
            inner = child.zipkin_attrs
    show(ids.trace_id, [
        {"id": ids.span_id, "parent": "", "name": "GET /checkout", "kind": "server",
         "tags": {"app.str": "größe"}},
        {"id": inner.span_id, "parent": ids.span_id, "name": "charge", "kind": "client",
         "error": "card declined", "event": "retry"},
    ])


def otel():
    from opentelemetry.exporter.zipkin.json import ZipkinExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind, Status, StatusCode

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(ZipkinExporter()))
    tracer = provider.get_tracer("smoke", "1.0.0")
    with tracer.start_as_current_span("GET /checkout", kind=SpanKind.SERVER) as root:
        root.set_attributes({"app.str": "größe", "app.int": 42})
        with tracer.start_as_current_span("charge", kind=SpanKind.CLIENT) as child:
            child.set_status(Status(StatusCode.ERROR, "card declined"))
    provider.shutdown()
    ids = [format(span.get_span_context().span_id, "016x") for span in (root, child)]
    show(format(root.get_span_context().trace_id, "032x"), [
        {"id": ids[0], "parent": "", "name": "GET /checkout", "kind": "server",
         "tags": {"app.str": "größe", "app.int": "42"}},
        {"id": ids[1], "parent": ids[0], "name": "charge", "kind": "client",
         "error": "card declined"},
    ])


def jaeger():
    from jaeger_client import Config

    host, port = TO.split(":")
    config = Config(config={"sampler": {"type": "const", "param": 1},
                            "local_agent": {"reporting_host": host, "reporting_port": int(port)}},
                    service_name=SERVICE)
    tracer = config.initialize_tracer()
    root = tracer.start_span("GET /checkout", tags={"span.kind": "server", "app.str": "größe"})
    child = tracer.start_span("charge", child_of=root, tags={"span.kind": "client", "error": True})
    child.log_kv({"event": "retry"})
    child.finish()
    root.finish()
    time.sleep(2)
    tracer.close()
    time.sleep(1)
    ids = [format(span.span_id, "016x") for span in (root, child)]
    show(format(root.trace_id, "016x"), [
        {"id": ids[0], "parent": "", "name": "GET /checkout", "kind": "server",
         "tags": {"app.str": "größe"}},
        {"id": ids[1], "parent": ids[0], "name": "charge", "kind": "client",
         "tags": {"error": True}, "event": "retry"},
    ])


PROGRAMS = {
    "py-zipkin-v1-json": lambda: py_zipkin("V1_JSON", "/api/v1/spans", "application/json"),
    "py-zipkin-v1-thrift": lambda: py_zipkin("V1_THRIFT", "/api/v1/spans", "application/x-thrift"),
    "py-zipkin-v2-json": lambda: py_zipkin("V2_JSON", "/api/v2/spans", "application/json"),
    "py-zipkin-v2-proto3": lambda: py_zipkin("V2_PROTO3", "/api/v2/spans",
                                             "application/x-protobuf"),
    "otel": otel,
    "jaeger-udp": jaeger,
}
PROGRAMS[sys.argv[1]]()
