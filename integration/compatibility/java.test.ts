import { delimiter, join } from 'node:path';
import { testTracers } from './suite.ts';

const COPY_LIBRARIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const BRAVE = 'Brave 6.3.1';
const JAEGER = 'jaeger-client 1.8.1';

testTracers({
  name: 'Java',
  folder: 'java',
  toolchain: [
    ['javac', '-version'],
    ['mvn', '-version'],
  ],
  install: [
    ['mvn', '--quiet', '--batch-mode', COPY_LIBRARIES, '-DoutputDirectory=lib'],
    ['javac', '-encoding', 'UTF-8', '-cp', 'lib/*', '-d', 'classes', 'Main.java'],
  ],
  program: (directory) => {
    const classPath = [join(directory, 'classes'), join(directory, 'lib/*')].join(delimiter);
    return ['java', '-cp', classPath, 'Main'];
  },
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
