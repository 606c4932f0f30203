import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { Client, credentials } from '@grpc/grpc-js';
import { Authority, type Identity } from './harness/authority.ts';
import { eventually } from './harness/eventually.ts';
import { encodeRequest } from './harness/otlp.ts';
import { runSpanhouse, Spanhouse, temporaryDirectory } from './harness/spanhouse.ts';

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

let folder: string;
let authority: Authority;
let first: Identity;
let spanhouse: Spanhouse;
before(async () => {
  folder = await temporaryDirectory();
  authority = await Authority.create(folder);
  first = await authority.issue('first');
  copyFileSync(first.cert, join(folder, 'server.pem'));
  copyFileSync(first.key, join(folder, 'server.key'));
  spanhouse = await Spanhouse.start({ flags: tlsFlags() });
});
after(async () => {
  await spanhouse.stop();
  await spanhouse.remove();
  rmSync(folder, { recursive: true, force: true });
});

function tlsFlags(): string[] {
  return [`--tls-cert=${join(folder, 'server.pem')}`, `--tls-key=${join(folder, 'server.key')}`];
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Of the server's certificate. */
  readonly serial: string;
}

interface Ask {
  readonly body?: Uint8Array;
  readonly type?: string;
  readonly agent?: Agent;
  readonly identity?: Identity;
}

function ask(
  port: number,
  path: string,
  { body, type, agent, identity }: Ask = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const client =
      identity === undefined
        ? {}
        : { cert: readFileSync(identity.cert), key: readFileSync(identity.key) };
    const call = request(
      {
        ...{ host: '127.0.0.1', port, path, method: body === undefined ? 'GET' : 'POST' },
        headers: type === undefined ? {} : { 'content-type': type },
        ca: readFileSync(authority.ca),
        agent: agent ?? false,
        ...client,
      },
      (response) => {
        const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, body: text, serial: serialNumber });
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** One span, and the hex of its trace id. */
function span(): { bytes: Uint8Array; traceId: string } {
  const traceId = randomBytes(16);
  const now = BigInt(Date.now()) * 1_000_000n;
  const times = { startUnixNanos: now, endUnixNanos: now + 1n };
  const bytes = encodeRequest('tls', [{ traceId, spanId: randomBytes(8), name: 'tls', ...times }]);
  return { bytes, traceId: traceId.toString('hex') };
}

function exportBy(port: number, bytes: Uint8Array): Promise<void> {
  const client = new Client(`localhost:${port}`, credentials.createSsl(readFileSync(authority.ca)));
  return new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest(
      EXPORT,
      (request: Uint8Array) => Buffer.from(request),
      (answer) => answer,
      bytes,
      (error) => (error === null ? resolve() : reject(error)),
    );
  }).finally(() => client.close());
}

const PROTOBUF = 'application/x-protobuf';

test('spans come in and traces go out over TLS, by HTTP and gRPC', async () => {
  const { otlpHttp, otlpGrpc, query } = spanhouse.ports;
  const [one, other] = [span(), span()];
  const sent = await ask(otlpHttp, '/v1/traces', { body: one.bytes, type: PROTOBUF });
  assert.equal(sent.status, 200, sent.body);
  await exportBy(otlpGrpc, other.bytes);
  for (const { traceId } of [one, other]) {
    const read = await ask(query, `/api/traces/${traceId}`);
    assert.equal(read.status, 200, read.body);
  }
});

test("Zipkin's port tells HTTP and gRPC apart by the handshake", async () => {
  const { zipkin } = spanhouse.ports;
  const json = { type: 'application/json', body: Buffer.from('[]') };
  assert.equal((await ask(zipkin, '/api/v2/spans', json)).status, 202);
  // Of another service than Zipkin's, and that is known by gRPC alone.
  await assert.rejects(exportBy(zipkin, span().bytes), { code: 12 });
});

test('what is no TLS gets no answer', async () => {
  await assert.rejects(fetch(`http://127.0.0.1:${spanhouse.ports.otlpHttp}/v1/traces`));
  assert.equal((await fetch(`${spanhouse.health}/readyz`)).status, 200, 'health stays plain');
});

test('a new certificate is in force within seconds, and no request fails meanwhile', async () => {
  const { query } = spanhouse.ports;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let [done, count] = [false, 0];
  const loads = [agent, undefined].map(async (one) => {
    while (!done) {
      const answer = await ask(query, '/api/services', one === undefined ? {} : { agent: one });
      assert.equal(answer.status, 200);
      count++;
    }
  });
  const before = await ask(query, '/api/services');
  const second = await authority.issue('second');
  // As a renewal is seen in the middle: a certificate whose key is not there yet.
  copyFileSync(second.cert, join(folder, 'server.pem'));
  await eventually('the mismatch was told', 15_000, async () =>
    spanhouse.log.includes('the certificate that was in force stays') ? true : undefined,
  );
  copyFileSync(second.key, join(folder, 'server.key'));
  await eventually('another certificate', 15_000, async () =>
    (await ask(query, '/api/services')).serial === before.serial ? undefined : true,
  );
  await sleep(200);
  done = true;
  await Promise.all(loads);
  agent.destroy();
  assert.ok(count > 20, `${count} requests`);
});

test('with an authority of clients, those without a certificate of theirs are shut out', async () => {
  const flags = [...tlsFlags(), `--tls-client-ca=${authority.ca}`];
  const strict = await Spanhouse.start({ flags });
  try {
    const { query } = strict.ports;
    await assert.rejects(ask(query, '/api/services'));
    const identity = await authority.issue('client');
    assert.equal((await ask(query, '/api/services', { identity })).status, 200);
    const elsewhere = await temporaryDirectory();
    const stranger = await (await Authority.create(elsewhere)).issue('stranger');
    await assert.rejects(ask(query, '/api/services', { identity: stranger }));
    rmSync(elsewhere, { recursive: true, force: true });
  } finally {
    await strict.stop();
    await strict.remove();
  }
});

test('files that are wrong keep it from starting, and a sentence says why', async () => {
  const other = await authority.issue('other');
  const empty = join(folder, 'empty.pem');
  writeFileSync(empty, '');
  const cert = `--tls-cert=${first.cert}`;
  const mistakes: [string[], RegExp][] = [
    [[cert], /tls\.cert and tls\.key belong together/],
    [[cert, `--tls-key=${other.key}`], /expected a certificate and its own private key in/],
    [[cert, '--tls-key=/nowhere/key.pem'], /tls\.key: expected a PEM file at \/nowhere\/key\.pem/],
    [[`--tls-cert=${empty}`, `--tls-key=${first.key}`], /tls\.cert: expected a certificate as PEM/],
  ];
  for (const [flags, sentence] of mistakes) {
    const ports = ['otlp-grpc', 'otlp-http', 'query', 'metrics', 'health', 'zipkin'];
    const free = ports.map((name) => `--listen-${name}=0`);
    const ended = await runSpanhouse(['query', '--clickhouse-url=http://c', ...free, ...flags]);
    assert.equal(ended.code, 1, ended.output);
    assert.match(ended.output, sentence);
  }
});
