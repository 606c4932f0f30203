import { join } from 'node:path';
import { testSdk } from './sdk_suite.ts';

testSdk({
  language: 'python',
  toolchain: [['python3', '-c', 'import venv, ensurepip']],
  install: [
    ['python3', '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', '--no-deps', '-r', 'requirements.txt'],
  ],
  program: (directory) => [join(directory, 'venv/bin/python'), join(directory, 'program.py')],
  variants: [
    { protocol: 'grpc' },
    { protocol: 'grpc', compression: 'gzip' },
    { protocol: 'http/protobuf' },
    { protocol: 'http/protobuf', compression: 'gzip' },
    { protocol: 'http/protobuf', compression: 'deflate' },
  ],
});
