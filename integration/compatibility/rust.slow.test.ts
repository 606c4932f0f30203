import { join } from 'node:path';
import { testTracers } from './suite.ts';

// Slow, as it is compiled for minutes.
testTracers({
  name: 'Rust',
  folder: 'rust',
  toolchain: [['cargo', '--version']],
  install: [['cargo', 'build', '--quiet']],
  program: (directory) => [join(directory, 'target/debug/program')],
  variants: [
    {
      tracer: 'opentelemetry-zipkin 0.33.0',
      sends: 'Zipkin v2 JSON',
      argument: 'otel',
      door: 'zipkin',
      env: (address) => ({ OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${address}/api/v2/spans` }),
      tellsService: false,
    },
  ],
});
