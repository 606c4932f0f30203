// Sends a few traces through the stock OpenTelemetry SDK and prints what the SDK recorded, as JSON.
// Exits 0 only when every export was accepted. Settings come by the SDK's own environment names:
// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_COMPRESSION, OTEL_SERVICE_NAME;
// OTEL_EXPORTER_OTLP_PROTOCOL chooses the exporter.

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

public final class Main {
  static final AtomicInteger failed = new AtomicInteger();

  public static void main(String[] args) throws Exception {
    Resource resource =
        Resource.getDefault()
            .merge(
                Resource.create(
                    Attributes.of(
                        AttributeKey.stringKey("service.name"), System.getenv("OTEL_SERVICE_NAME"),
                        AttributeKey.longKey("app.pods"), 3L)));
    Recorder recorder = new Recorder();
    SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .setResource(resource)
            .addSpanProcessor(recorder)
            .addSpanProcessor(BatchSpanProcessor.builder(counting(newExporter())).build())
            .build();
    List<Thread> workers = new ArrayList<>();
    for (int i = Integer.parseInt(System.getenv("SMOKE_TRACES")); i > 0; i--) {
      Thread worker = new Thread(() -> checkout(provider));
      worker.start();
      workers.add(worker);
    }
    for (Thread worker : workers) {
      worker.join();
    }
    boolean flushed = provider.shutdown().join(30, TimeUnit.SECONDS).isSuccess();
    new PrintStream(System.out, true, StandardCharsets.UTF_8).println(recorder.json(resource));
    System.exit(flushed && failed.get() == 0 ? 0 : 1);
  }

  static SpanExporter newExporter() {
    String endpoint = System.getenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    String compression = System.getenv().getOrDefault("OTEL_EXPORTER_OTLP_COMPRESSION", "none");
    if ("grpc".equals(System.getenv("OTEL_EXPORTER_OTLP_PROTOCOL"))) {
      return OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression(compression).build();
    }
    return OtlpHttpSpanExporter.builder()
        .setEndpoint(endpoint + "/v1/traces")
        .setCompression(compression)
        .build();
  }

  // Passes everything on, and remembers failures, which the batch processor only logs.
  static SpanExporter counting(SpanExporter inner) {
    return new SpanExporter() {
      @Override
      public CompletableResultCode export(Collection<SpanData> spans) {
        CompletableResultCode result = inner.export(spans);
        result.whenComplete(
            () -> {
              if (!result.isSuccess()) failed.incrementAndGet();
            });
        return result;
      }

      @Override
      public CompletableResultCode flush() {
        return inner.flush();
      }

      @Override
      public CompletableResultCode shutdown() {
        return inner.shutdown();
      }
    };
  }

  static void checkout(SdkTracerProvider provider) {
    Tracer tracer = provider.tracerBuilder("smoke").setInstrumentationVersion("1.0.0").build();
    Span root = tracer.spanBuilder("GET /checkout").setSpanKind(SpanKind.SERVER).startSpan();
    root.setAttribute("app.str", "größe");
    root.setAttribute("app.int", 42);
    root.setAttribute("app.big", 9007199254740993L);
    root.setAttribute("app.double", 2.5);
    root.setAttribute("app.bool", true);
    root.setAttribute(AttributeKey.stringArrayKey("app.strs"), List.of("a", "ü"));
    root.setAttribute(AttributeKey.longArrayKey("app.ints"), List.of(1L, 2L, 3L));
    root.setAttribute(AttributeKey.doubleArrayKey("app.doubles"), List.of(0.5, 1.5));
    root.setAttribute(AttributeKey.booleanArrayKey("app.bools"), List.of(true, false));
    Context parent = Context.root().with(root);
    Span charge = tracer.spanBuilder("charge").setSpanKind(SpanKind.CLIENT).setParent(parent).startSpan();
    charge.addEvent(
        "retry",
        Attributes.of(AttributeKey.longKey("attempt"), 2L, AttributeKey.stringKey("reason"), "timeout"));
    charge.setStatus(StatusCode.ERROR, "card declined");
    charge.end();
    Span publish =
        tracer.spanBuilder("orders publish").setSpanKind(SpanKind.PRODUCER).setParent(parent).startSpan();
    publish.end();
    Tracer worker = provider.get("smoke.worker");
    Span process =
        worker
            .spanBuilder("orders process")
            .setSpanKind(SpanKind.CONSUMER)
            .setParent(parent)
            .addLink(publish.getSpanContext())
            .startSpan();
    process.setStatus(StatusCode.OK);
    process.end();
    worker.spanBuilder("render").setParent(parent).startSpan().end();
    root.end();
  }
}
