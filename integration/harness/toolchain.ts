import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/**
 * True where `command` runs. Where it does not, the test says so loudly and is skipped on a
 * developer's machine; in CI it fails, because there a missing toolchain hides a missing check.
 */
export function haveToolchain(t: TestContext, command: string, args: readonly string[]): boolean {
  const probe = spawnSync(command, args, { stdio: 'ignore' });
  if (probe.status === 0) return true;
  const message = `\`${command} ${args.join(' ')}\` does not run here: ${t.name} was NOT tested`;
  if (process.env['CI'] === 'true') throw new Error(message);
  process.stderr.write(`\n*** ${message} ***\n`);
  t.skip(message);
  return false;
}
