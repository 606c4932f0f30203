// A real Kafka for the tests of this folder: the harness of integration/ as a process, since code
// of ours may not import it. Commands are lines, see integration/harness/kafka_main.ts.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../integration/harness/kafka_main.ts', import.meta.url));

export interface TestBroker {
  /** Through a proxy that `tell` can make misbehave. */
  readonly bootstrap: string;
  /** Of the process that the broker is a child of. */
  readonly pid: number;
  /** Around the proxy. */
  readonly direct: string;
  /** `kill 1`, `restart 1`, `pause 1`, `resume 1`, `cut 1`, `drop 1`, `delay 1 200`, `heal 1`. */
  tell(command: string): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves when it serves; throws with what it said where it does not. */
export async function startTestBroker(): Promise<TestBroker> {
  const child = spawn(process.execPath, [MAIN, '--proxied'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const gone = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, string>> => {
    const { value, done } = await answers.next();
    if (done === true) throw new Error(`the test broker has ended:\n${said}`);
    return JSON.parse(value as string) as Record<string, string>;
  };
  const { bootstrap = '', direct = '' } = await answer();
  return {
    pid: child.pid ?? 0,
    bootstrap,
    direct,
    tell: async (command) => {
      child.stdin.write(`${command}\n`);
      const { error } = await answer();
      if (error !== undefined) throw new Error(error);
    },
    stop: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
