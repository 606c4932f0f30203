import { JAVA_INSTALL, JAVA_TOOLCHAIN, javaProgram } from './java_program.ts';
import { testTracers } from './suite.ts';

const BRAVE = 'Brave 6.3.1';
const JAEGER = 'jaeger-client 1.8.1';

testTracers({
  name: 'Java',
  folder: 'java',
  toolchain: JAVA_TOOLCHAIN,
  install: JAVA_INSTALL,
  program: javaProgram,
  variants: [
    { tracer: BRAVE, sends: 'Zipkin v2 JSON', argument: 'brave-json', door: 'zipkin' },
    { tracer: BRAVE, sends: 'Zipkin proto3', argument: 'brave-proto3', door: 'zipkin' },
    { tracer: BRAVE, sends: 'Zipkin v2 JSON, okhttp', argument: 'brave-okhttp', door: 'zipkin' },
    { tracer: BRAVE, sends: 'Zipkin v1 JSON', argument: 'brave-v1-json', door: 'zipkin' },
    { tracer: BRAVE, sends: 'Zipkin v1 Thrift', argument: 'brave-v1-thrift', door: 'zipkin' },
    {
      tracer: 'OpenTelemetry exporter-zipkin 1.63.0',
      sends: 'Zipkin v2 JSON, gzip',
      argument: 'otel',
      door: 'zipkin',
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
