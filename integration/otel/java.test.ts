import { delimiter, join } from 'node:path';
import { testSdk } from './sdk_suite.ts';

const COPY_LIBRARIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

testSdk({
  language: 'java',
  toolchain: [
    ['javac', '-version'],
    ['mvn', '-version'],
  ],
  install: [
    ['mvn', '--quiet', '--batch-mode', COPY_LIBRARIES, '-DoutputDirectory=lib'],
    ['javac', '-encoding', 'UTF-8', '-cp', 'lib/*', '-d', 'classes', 'Main.java', 'Recorder.java'],
  ],
  program: (directory) => {
    const classPath = [join(directory, 'classes'), join(directory, 'lib/*')].join(delimiter);
    return ['java', '-cp', classPath, 'Main'];
  },
  variants: [
    { protocol: 'grpc' },
    { protocol: 'grpc', compression: 'gzip' },
    { protocol: 'http/protobuf' },
    { protocol: 'http/protobuf', compression: 'gzip' },
  ],
});
