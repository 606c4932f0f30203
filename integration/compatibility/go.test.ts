import { join } from 'node:path';
import { testTracers } from './suite.ts';

const ZIPKIN_GO = 'zipkin-go 0.4.3';
const JAEGER = 'jaeger-client-go 2.30.0';

testTracers({
  name: 'Go',
  folder: 'go',
  toolchain: [['go', 'version']],
  install: [['go', 'build', '-o', 'program', '.']],
  program: (directory) => [join(directory, 'program')],
  variants: [
    { tracer: ZIPKIN_GO, sends: 'Zipkin v2 JSON', argument: 'zipkin-go-json', door: 'zipkin' },
    { tracer: ZIPKIN_GO, sends: 'Zipkin proto3', argument: 'zipkin-go-proto', door: 'zipkin' },
    {
      tracer: 'OpenTelemetry exporters/zipkin 1.47.0',
      sends: 'Zipkin v2 JSON',
      argument: 'otel',
      door: 'zipkin',
      env: (address) => ({ OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${address}/api/v2/spans` }),
    },
    {
      tracer: JAEGER,
      sends: 'compact Thrift, UDP',
      argument: 'jaeger-udp',
      door: 'jaeger-compact',
    },
    { tracer: JAEGER, sends: 'Thrift, HTTP', argument: 'jaeger-http', door: 'jaeger-http' },
  ],
});
