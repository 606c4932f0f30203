// Plain JavaScript for any Node: sees to it that what follows runs on Node 24 or later. An older
// one hands over to the Node that npm installed beside us (an optional dependency on Linux).

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';

const MAJOR_MIN = 24;

/** True when this Node will do. Else another one has taken over, or a sentence has been printed. */
export function runsOnNode24(argv) {
  if (Number.parseInt(process.versions.node, 10) >= MAJOR_MIN) return true;
  const node = pinnedNode();
  if (node === undefined) {
    console.error(
      `Spanhouse needs Node ${MAJOR_MIN} or later, and this is ${process.version}: ` +
        'install it from nodejs.org or with your version manager, then try again.',
    );
    process.exitCode = 1;
  } else {
    handOver(node, argv);
  }
  return false;
}

function pinnedNode() {
  try {
    return createRequire(import.meta.url).resolve(`node-${platform()}-${arch()}/bin/node`);
  } catch {
    return undefined;
  }
}

function handOver(node, argv) {
  const args = [...process.execArgv, ...argv];
  // The same process goes on under the other Node, so that signals and exit codes need no relay.
  if (typeof process.execve === 'function') {
    process.execve(node, [node, ...args], process.env);
    return;
  }
  const child = spawn(node, args, { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both of us; relayed as well it would count as the second one.
  process.on('SIGINT', () => (process.stdin.isTTY ? undefined : child.kill('SIGINT')));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`${node} does not start: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
