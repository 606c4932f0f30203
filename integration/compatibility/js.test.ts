import { join } from 'node:path';
import { testTracers } from './suite.ts';

const ZIPKIN_JS = 'zipkin-js 0.22.0';
const JAEGER = 'jaeger-client 3.19.0';

testTracers({
  name: 'JavaScript',
  folder: 'js',
  toolchain: [['npm', '--version']],
  install: [['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts']],
  program: (directory) => [process.execPath, join(directory, 'program.mjs')],
  variants: [
    { tracer: ZIPKIN_JS, sends: 'Zipkin v1 JSON', argument: 'zipkin-js-v1', door: 'zipkin' },
    { tracer: ZIPKIN_JS, sends: 'Zipkin v2 JSON', argument: 'zipkin-js-v2', door: 'zipkin' },
    {
      tracer: 'OpenTelemetry exporter-zipkin 2.12.1',
      sends: 'Zipkin v2 JSON',
      argument: 'otel',
      door: 'zipkin',
      env: (address) => ({ OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${address}/api/v2/spans` }),
    },
    { tracer: JAEGER, sends: 'binary Thrift, UDP', argument: 'jaeger-udp', door: 'jaeger-binary' },
    { tracer: JAEGER, sends: 'Thrift, HTTP', argument: 'jaeger-http', door: 'jaeger-http' },
  ],
});
