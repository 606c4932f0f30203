// Sends one span and waits until it can be read; the exit code says whether that worked.
import { randomBytes } from 'node:crypto';

const { SEND_TO, READ_FROM } = process.env;
const traceId = randomBytes(16).toString('hex');
const now = `${Date.now()}000000`;
const span = {
  traceId,
  spanId: randomBytes(8).toString('hex'),
  name: 'helm test',
  kind: 2,
  startTimeUnixNano: now,
  endTimeUnixNano: now,
};
const resource = {
  attributes: [{ key: 'service.name', value: { stringValue: 'spanhouse-helm-test' } }],
};
const sent = await fetch(`${SEND_TO}/v1/traces`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
});
if (!sent.ok) {
  console.error(`The collector refused a span: ${sent.status} ${await sent.text()}`);
  process.exit(1);
}
for (let seconds = 0; seconds < 60; seconds++) {
  const read = await fetch(`${READ_FROM}/api/traces/${traceId}`);
  if (read.ok && (await read.text()).includes('helm test')) {
    console.log(`trace ${traceId} was there after ${seconds} s`);
    process.exit(0);
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
console.error(`The collector took trace ${traceId}, but it could not be read within a minute.`);
process.exit(1);
