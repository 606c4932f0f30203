import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { REPOSITORY } from '../harness/spanhouse.ts';
import { install } from '../otel/installation.ts';

const run = promisify(execFile);
const FILE = join(REPOSITORY, 'deploy/compose/compose.yaml');

interface Project {
  readonly services: Readonly<Record<string, Service>>;
}

interface Service {
  readonly image: string;
  readonly command: readonly string[] | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly ports?: readonly { readonly host_ip?: string; readonly target: number }[];
  readonly read_only?: boolean;
}

let project: Project;
before(async () => {
  // As Docker's own tool loads it: there is no engine here that could run it.
  const directory = await install('../deploy/compose', [
    ['go', 'build', '-trimpath', '-o', 'load', '.'],
  ]);
  const { stdout } = await run(join(directory, 'load'), [FILE]);
  project = JSON.parse(stdout) as Project;
});

test('compose loads it, and shows ports to this machine only', () => {
  assert.deepEqual(Object.keys(project.services).sort(), [
    'clickhouse',
    'collector',
    'grafana',
    'ingester',
    'kafka',
    'migrate',
    'query',
  ]);
  for (const [name, { image, ports }] of Object.entries(project.services)) {
    assert.match(image, /:\d+\.\d+/, `${name} names a version`);
    for (const port of ports ?? []) assert.equal(port.host_ip, '127.0.0.1', name);
  }
});

test('our services are built from a file that is there, by settings that they take', async () => {
  for (const [name, service] of Object.entries(project.services)) {
    if (service.build === undefined) continue;
    assert.ok(existsSync(join(service.build.context, service.build.dockerfile)), name);
    assert.equal(service.read_only, true, name);
    const main = join(REPOSITORY, 'cli/main.ts');
    const env = service.environment;
    const { stdout } = await run(process.execPath, [main, 'config', 'print'], { env });
    assert.match(stdout, /url: http:\/\/clickhouse:8123 +# SPANHOUSE_CLICKHOUSE_URL/, name);
    const [command = ''] = service.command ?? [];
    const { stdout: help } = await run(process.execPath, [main, command, '--help'], {});
    assert.match(help, new RegExp(`spanhouse ${command}`));
  }
});
