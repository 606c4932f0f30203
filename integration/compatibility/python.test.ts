import { join } from 'node:path';
import { testTracers } from './suite.ts';
import type { Variant } from './tracer.ts';

const OLD = 'py_zipkin 0.20.2';
const NEW = 'py-zipkin 1.2.8';

/** py_zipkin gave Thrift up, so its last version that has it lives apart. */
function venvOf(variant: Variant): string {
  return variant.tracer === OLD ? 'venv_old' : 'venv';
}

testTracers({
  name: 'Python',
  folder: 'python',
  toolchain: [['python3', '-c', 'import venv, ensurepip']],
  install: [
    ['python3', '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', '--no-deps', '-r', 'requirements.txt'],
    ['python3', '-m', 'venv', 'venv_old'],
    ['venv_old/bin/pip', 'install', '--quiet', '--no-deps', '-r', 'requirements_old.txt'],
  ],
  program: (directory, variant) => [
    join(directory, venvOf(variant), 'bin/python'),
    join(directory, 'program.py'),
  ],
  variants: [
    { tracer: OLD, sends: 'Zipkin v1 Thrift', argument: 'py-zipkin-v1-thrift', door: 'zipkin' },
    { tracer: NEW, sends: 'Zipkin v1 JSON', argument: 'py-zipkin-v1-json', door: 'zipkin' },
    { tracer: NEW, sends: 'Zipkin v2 JSON', argument: 'py-zipkin-v2-json', door: 'zipkin' },
    { tracer: NEW, sends: 'Zipkin proto3', argument: 'py-zipkin-v2-proto3', door: 'zipkin' },
    {
      tracer: 'OpenTelemetry exporter-zipkin-json 1.45.1',
      sends: 'Zipkin v2 JSON',
      argument: 'otel',
      door: 'zipkin',
      env: (address) => ({ OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${address}/api/v2/spans` }),
    },
    {
      tracer: 'jaeger-client 4.8.0',
      sends: 'compact Thrift, UDP',
      argument: 'jaeger-udp',
      door: 'jaeger-compact',
    },
  ],
});
