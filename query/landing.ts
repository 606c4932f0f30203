// What `GET /` says while there is no user interface: what runs here, and what to try.

export interface Addresses {
  readonly queryPort: number;
  /** Where spans are sent to, by OTLP over HTTP and gRPC; undefined when not of this process. */
  readonly otlpHttpPort?: number;
  readonly otlpGrpcPort?: number;
}

/** A page without script, style or anything to load. Only numbers of ours are put into it. */
export function landingPage(addresses: Addresses): string {
  const { queryPort, otlpHttpPort = 4318, otlpGrpcPort = 4317 } = addresses;
  const api = `http://localhost:${queryPort}/api`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Spanhouse</title>
</head>
<body>
<h1>Spanhouse</h1>
<p>A distributed tracing backend is running here. Its user interface is yet to come; the query APIs
of Jaeger and, below <code>/zipkin</code>, of Zipkin answer on this port, so Grafana's data sources
and <code>curl</code> can read.</p>

<h2>Send</h2>
<p>Point any OpenTelemetry SDK at <code>http://localhost:${otlpHttpPort}</code> (OTLP over HTTP) or
<code>localhost:${otlpGrpcPort}</code> (gRPC). Or send one span by hand:</p>
<pre>${escapeHtml(sendLines(otlpHttpPort))}</pre>

<h2>Read</h2>
<p>The services that have sent spans:</p>
<pre>curl ${api}/services</pre>
<p>The newest traces of a service in the last 48 hours:</p>
<pre>${escapeHtml(`curl '${api}/traces?service=hello&limit=5&prettyPrint=true'`)}</pre>
<p>Those with a tag, of at least a millisecond:</p>
<pre>${escapeHtml(`curl '${api}/traces?service=hello&tag=http.route:/hello&minDuration=1ms'`)}</pre>
<p>Where the time of a service's requests goes, as a table and as JSON:</p>
<pre>${escapeHtml(`npx spanhouse where --service hello --query http://localhost:${queryPort}
curl '${api}/x/contributions?service=hello'`)}</pre>
<p>One trace, by its id:</p>
<pre>curl ${api}/traces/5b8efff798038103d269b633813fc60c</pre>
</body>
</html>
`;
}

function sendLines(port: number): string {
  return `curl -X POST http://localhost:${port}/v1/traces -H 'Content-Type: application/json' -d '{
  "resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "hello"}}]},
    "scopeSpans": [{"spans": [{
      "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
      "name": "GET /hello", "kind": 2,
      "startTimeUnixNano": "'$(date +%s)'000000000", "endTimeUnixNano": "'$(date +%s)'250000000",
      "attributes": [{"key": "http.route", "value": {"stringValue": "/hello"}}]
    }]}]
  }]
}'`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
