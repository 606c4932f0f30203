// A Kafka by hand, and for tests that may not import the harness:
// `node integration/harness/kafka_main.ts [--brokers=3] [--proxied] [--set key=value]…`
// prints {"bootstrap":…,"direct":…} and then obeys a line each: `kill 1`, `restart 1`, `pause 1`,
// `resume 1`, `cut 1`, `drop 1`, `delay 1 200`, `heal 1`; each is answered by {"done":…} or
// {"error":…}. Ends with its standard input, or by SIGTERM or SIGINT.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startKafka } from './kafka.ts';

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '1' },
    proxied: { type: 'boolean', default: false },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const settings = values.set.map((pair) => pair.split('=', 2) as [string, string]);
const kafka = await startKafka({
  brokers: values.brokers === '3' ? 3 : 1,
  proxied: values.proxied,
  ...(settings.length === 0 ? {} : { settings: Object.fromEntries(settings) }),
});
say({ bootstrap: kafka.bootstrap, direct: kafka.direct });

const lines = createInterface({ input: process.stdin });
const end = (): void => {
  lines.close();
};
process.once('SIGTERM', end);
process.once('SIGINT', end);
for await (const line of lines) {
  try {
    await obey(line.trim().split(/\s+/));
    say({ done: line.trim() });
  } catch (error) {
    say({ error: String(error) });
  }
}
await kafka.stop();
// Idle clients would keep us for their keep-alive.
process.exit(0);

function say(what: Readonly<Record<string, string>>): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

async function obey([verb = '', number = '1', ms = '0']: readonly string[]): Promise<void> {
  const broker = Number(number);
  const proxy = kafka.proxies[broker - 1];
  switch (verb) {
    case 'kill':
      return kafka.kill(broker);
    case 'restart':
      return kafka.restart(broker);
    case 'pause':
      return kafka.pause(broker);
    case 'resume':
      return kafka.resume(broker);
  }
  if (proxy === undefined) throw new Error(`"${verb}" needs --proxied, or is no command`);
  switch (verb) {
    case 'cut':
      return proxy.cut();
    case 'drop':
      proxy.dropReplies = true;
      return;
    case 'delay':
      proxy.delayMs = Number(ms);
      return;
    case 'heal':
      return proxy.heal();
    default:
      throw new Error(`"${verb}" is no command`);
  }
}
