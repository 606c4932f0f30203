import { join } from 'node:path';
import { testSdk } from './sdk_suite.ts';

testSdk({
  language: 'go',
  toolchain: [['go', 'version']],
  install: [['go', 'build', '-o', 'program', '.']],
  program: (directory) => [join(directory, 'program')],
  variants: [
    { protocol: 'grpc' },
    { protocol: 'grpc', compression: 'gzip' },
    { protocol: 'http/protobuf' },
    { protocol: 'http/protobuf', compression: 'gzip' },
  ],
});
