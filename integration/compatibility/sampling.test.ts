// A real Jaeger client, at its default sampler, asks for its strategy and then obeys it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePorts } from '../harness/ports.ts';
import { Spanhouse, temporaryDirectory } from '../harness/spanhouse.ts';
import { haveToolchain } from '../harness/toolchain.ts';
import { install } from '../otel/installation.ts';

const INSTALL = [['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts']] as const;
const PROGRAM_MS = 60_000;

const STRATEGIES = {
  service_strategies: [
    { service: 'always', type: 'probabilistic', param: 1 },
    { service: 'never', type: 'probabilistic', param: 0 },
  ],
};

test('jaeger-client for JavaScript samples as the strategy file says', async (t) => {
  if (!haveToolchain(t, 'npm', ['--version'])) return;
  const directory = await install('../compatibility/js', INSTALL);
  const [port = 0] = await freePorts(1);
  const file = join(await temporaryDirectory(), 'strategies.json');
  writeFileSync(file, JSON.stringify(STRATEGIES));
  const flags = [`--listen-sampling-http=${port}`, `--sampling-strategies=${file}`];
  const spanhouse = await Spanhouse.start({ flags });
  try {
    const env = { ...process.env, TRACES_TO: `127.0.0.1:${port}` };
    for (const [service, expected] of [
      ['always', true],
      ['never', false],
    ] as const) {
      const args = [join(directory, 'program.mjs'), 'jaeger-remote'];
      const options = { timeout: PROGRAM_MS, env: { ...env, SERVICE: service } };
      const { stdout } = await promisify(execFile)(process.execPath, args, options);
      const { sampled } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
        sampled: boolean;
      };
      assert.equal(sampled, expected, service);
    }
    await spanhouse.stop();
  } finally {
    await spanhouse.remove();
  }
});
