import { join } from 'node:path';
import { testSdk } from './sdk_suite.ts';

testSdk({
  language: 'js',
  toolchain: [['npm', '--version']],
  install: [['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts']],
  program: (directory) => [process.execPath, join(directory, 'program.mjs')],
  variants: [
    { protocol: 'grpc' },
    { protocol: 'grpc', compression: 'gzip' },
    { protocol: 'http/json' },
    { protocol: 'http/json', compression: 'gzip' },
    { protocol: 'http/protobuf' },
    { protocol: 'http/protobuf', compression: 'gzip' },
  ],
});
