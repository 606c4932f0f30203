// The Java program of this folder: how it is built and run.
import { delimiter, join } from 'node:path';
import type { Step } from '../otel/installation.ts';

const COPY_LIBRARIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

export const JAVA_TOOLCHAIN: readonly Step[] = [
  ['javac', '-version'],
  ['mvn', '-version'],
];

export const JAVA_INSTALL: readonly Step[] = [
  ['mvn', '--quiet', '--batch-mode', COPY_LIBRARIES, '-DoutputDirectory=lib'],
  ['javac', '-encoding', 'UTF-8', '-cp', 'lib/*', '-d', 'classes', 'Main.java'],
];

/** The command for where it was installed. */
export function javaProgram(directory: string): Step {
  const classPath = [join(directory, 'classes'), join(directory, 'lib/*')].join(delimiter);
  return ['java', '-cp', classPath, 'Main'];
}
