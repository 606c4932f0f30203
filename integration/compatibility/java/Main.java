// One trace by the tracer that argv names, sent to where TRACES_TO says; prints what it recorded.
import brave.Span;
import brave.Tracing;
import brave.handler.SpanHandler;
import io.jaegertracing.Configuration;
import io.jaegertracing.internal.JaegerSpan;
import io.jaegertracing.internal.JaegerTracer;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.zipkin.ZipkinSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import zipkin2.reporter.AsyncReporter;
import zipkin2.reporter.BytesMessageSender;
import zipkin2.reporter.Encoding;
import zipkin2.reporter.SpanBytesEncoder;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.brave.ZipkinSpanHandler;
import zipkin2.reporter.kafka.KafkaSender;
import zipkin2.reporter.okhttp3.OkHttpSender;
import zipkin2.reporter.urlconnection.URLConnectionSender;

public class Main {
  static final String TO = System.getenv("TRACES_TO");
  static final String SERVICE = System.getenv("SERVICE");

  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "brave-json" -> brave(url(Encoding.JSON, 2), null, "GET /checkout");
      case "brave-proto3" -> brave(url(Encoding.PROTO3, 2), null, "GET /checkout");
      case "brave-okhttp" -> brave(OkHttpSender.create(TO + "/api/v2/spans"), null, "GET /checkout");
      case "brave-v1-json" -> brave(url(Encoding.JSON, 1), SpanBytesEncoder.JSON_V1, "get /checkout");
      case "brave-v1-thrift" -> brave(url(Encoding.THRIFT, 1), SpanBytesEncoder.THRIFT, "get /checkout");
      case "brave-kafka-json" -> brave(kafka(Encoding.JSON), null, "GET /checkout");
      case "brave-kafka-proto3" -> brave(kafka(Encoding.PROTO3), null, "GET /checkout");
      case "brave-kafka-thrift" -> brave(kafka(Encoding.THRIFT), SpanBytesEncoder.THRIFT, "get /checkout");
      case "otel" -> otel();
      default -> jaeger(args[0]);
    }
    // A reporter's own thread may be sending what flush() did not find any more.
    Thread.sleep(1000);
    System.exit(0);
  }

  static BytesMessageSender url(Encoding encoding, int version) {
    String endpoint = TO + "/api/v" + version + "/spans";
    return URLConnectionSender.newBuilder().endpoint(endpoint).encoding(encoding).build();
  }

  static BytesMessageSender kafka(Encoding encoding) {
    return KafkaSender.newBuilder().bootstrapServers(TO).topic(System.getenv("TOPIC")).encoding(encoding).build();
  }

  static void brave(BytesMessageSender sender, SpanBytesEncoder encoder, String name) {
    AsyncZipkinSpanHandler handler = null;
    AsyncReporter<zipkin2.Span> reporter = null;
    SpanHandler spans;
    if (encoder == null) spans = handler = AsyncZipkinSpanHandler.create(sender);
    else spans = ZipkinSpanHandler.create(reporter = AsyncReporter.builder(sender).build(encoder));
    Tracing tracing = Tracing.newBuilder().localServiceName(SERVICE).addSpanHandler(spans).build();
    Span root = tracing.tracer().newTrace().name("GET /checkout").kind(Span.Kind.SERVER).start();
    root.tag("app.str", "größe");
    Span child = tracing.tracer().newChild(root.context()).name("charge").kind(Span.Kind.CLIENT).start();
    child.annotate("retry");
    child.tag("error", "card declined");
    child.finish();
    root.finish();
    if (handler != null) handler.flush();
    else reporter.flush();
    show(root.context().traceIdString(), root.context().spanIdString(),
        child.context().spanIdString(), name, "\"error\":\"card declined\"");
  }

  static void otel() {
    var exporter = ZipkinSpanExporter.builder().setEndpoint(TO + "/api/v2/spans").build();
    var provider = SdkTracerProvider.builder()
        .setResource(Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), SERVICE)))
        .addSpanProcessor(BatchSpanProcessor.builder(exporter).build())
        .build();
    var tracer = provider.get("smoke", "1.0.0");
    var root = tracer.spanBuilder("GET /checkout").setSpanKind(SpanKind.SERVER).startSpan();
    root.setAttribute("app.str", "größe");
    var child = tracer.spanBuilder("charge").setSpanKind(SpanKind.CLIENT)
        .setParent(Context.root().with(root)).startSpan();
    child.addEvent("retry").setStatus(StatusCode.ERROR, "card declined");
    child.end();
    root.end();
    provider.shutdown().join(10, TimeUnit.SECONDS);
    show(root.getSpanContext().getTraceId(), root.getSpanContext().getSpanId(),
        child.getSpanContext().getSpanId(), "get /checkout",
        // The exporter writes an event's attributes into its text, also when there are none.
        "\"error\":\"card declined\",\"event\":\"\\\"retry\\\":{}\"");
  }

  static void jaeger(String variant) throws Exception {
    Configuration.SenderConfiguration sender = new Configuration.SenderConfiguration();
    if (variant.equals("jaeger-http")) sender.withEndpoint(TO + "/api/traces");
    else sender.withAgentHost(TO.split(":")[0]).withAgentPort(Integer.parseInt(TO.split(":")[1]));
    JaegerTracer tracer = new Configuration(SERVICE)
        .withSampler(new Configuration.SamplerConfiguration().withType("const").withParam(1))
        .withReporter(new Configuration.ReporterConfiguration().withSender(sender))
        .getTracer();
    JaegerSpan root = tracer.buildSpan("GET /checkout").withTag("span.kind", "server").start();
    root.setTag("app.str", "größe");
    JaegerSpan child = tracer.buildSpan("charge").asChildOf(root).withTag("span.kind", "client").start();
    child.setTag("error", true);
    child.log(Map.of("event", "retry"));
    child.finish();
    root.finish();
    tracer.close();
    show(String.format("%016x", root.context().getTraceIdLow()),
        String.format("%016x", root.context().getSpanId()),
        String.format("%016x", child.context().getSpanId()), "GET /checkout",
        "\"tags\":{\"error\":true}");
  }

  static void show(String traceId, String root, String child, String name, String childHas) {
    String out = "{\"traceId\":\"%s\",\"spans\":["
        + "{\"id\":\"%s\",\"parent\":\"\",\"name\":\"%s\",\"kind\":\"server\",\"tags\":{\"app.str\":\"gr\\u00f6\\u00dfe\"}},"
        + "{\"id\":\"%s\",\"parent\":\"%s\",\"name\":\"charge\",\"kind\":\"client\",\"event\":\"retry\",%s}]}";
    System.out.println(String.format(out, traceId, root, name, child, root, childHas));
  }
}
