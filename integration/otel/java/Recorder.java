import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Keeps what the SDK says a span is, beside the exporter and independent of it. */
final class Recorder implements SpanProcessor {
  private final List<SpanData> spans = new ArrayList<>();

  @Override
  public void onStart(Context parent, ReadWriteSpan span) {}

  @Override
  public boolean isStartRequired() {
    return false;
  }

  @Override
  public synchronized void onEnd(ReadableSpan span) {
    spans.add(span.toSpanData());
  }

  @Override
  public boolean isEndRequired() {
    return true;
  }

  synchronized String json(Resource resource) {
    return text(
        Map.of(
            "resource", attributes(resource.getAttributes()),
            "spans", spans.stream().map(Recorder::describe).toList()));
  }

  private static Map<String, Object> describe(SpanData span) {
    Map<String, Object> out = new TreeMap<>();
    out.put("traceId", span.getTraceId());
    out.put("spanId", span.getSpanId());
    out.put("parentSpanId", span.getParentSpanContext().isValid() ? span.getParentSpanId() : "");
    out.put("name", span.getName());
    out.put("kind", span.getKind().name().toLowerCase(Locale.ROOT));
    out.put("startUnixNanos", Long.toString(span.getStartEpochNanos()));
    out.put("endUnixNanos", Long.toString(span.getEndEpochNanos()));
    out.put("attributes", attributes(span.getAttributes()));
    out.put(
        "events",
        span.getEvents().stream()
            .map(
                e ->
                    Map.of(
                        "name", e.getName(),
                        "timeUnixNanos", Long.toString(e.getEpochNanos()),
                        "attributes", attributes(e.getAttributes())))
            .toList());
    out.put(
        "links",
        span.getLinks().stream()
            .map(
                l ->
                    Map.of(
                        "traceId", l.getSpanContext().getTraceId(),
                        "spanId", l.getSpanContext().getSpanId()))
            .toList());
    out.put("status", span.getStatus().getStatusCode().name().toLowerCase(Locale.ROOT));
    out.put("statusMessage", span.getStatus().getDescription());
    out.put("scopeName", span.getInstrumentationScopeInfo().getName());
    String version = span.getInstrumentationScopeInfo().getVersion();
    out.put("scopeVersion", version == null ? "" : version);
    return out;
  }

  // Ints are printed as text: a JSON reader would lose digits beyond 2^53.
  private static List<Object> attributes(Attributes bag) {
    List<Object> out = new ArrayList<>();
    bag.forEach(
        (key, value) -> {
          String type =
              switch (key.getType()) {
                case STRING -> "string";
                case BOOLEAN -> "bool";
                case LONG -> "int";
                case DOUBLE -> "double";
                default -> "array";
              };
          Object shown = type.equals("int") ? value.toString() : value;
          out.add(Map.of("key", key.getKey(), "type", type, "value", shown));
        });
    return out;
  }

  private static String text(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(e -> text(e.getKey()) + ":" + text(e.getValue()))
          .collect(Collectors.joining(",", "{", "}"));
    }
    if (value instanceof List<?> list) {
      return list.stream().map(Recorder::text).collect(Collectors.joining(",", "[", "]"));
    }
    if (value instanceof String s) {
      return '"' + s.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
    return value.toString();
  }
}
