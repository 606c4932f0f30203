import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fastify from 'fastify';
import { systemClock } from '../service/clock.ts';
import { silentLog } from '../service/log.ts';
import { AnswerMemory } from './answer_memory.ts';
import { sendTraces } from './api/jaeger/answers.ts';
import { Gate } from './gate.ts';
import type { QueryDeps } from './http_answer.ts';
import { asStored, type StoredTrace } from './stored_trace.ts';

for (const coding of ['identity', 'zstd']) {
  test(`a trace that was read for a client that has left is let go (${coding})`, async () => {
    const memory = new AnswerMemory();
    const deps: QueryDeps = {
      select: () => Promise.reject(new Error('not asked')),
      gate: new Gate(),
      memory,
      tenant: 'default',
      clock: systemClock,
      log: silentLog,
      clockSkewNanosMax: 0n,
    };
    async function* read(): AsyncGenerator<StoredTrace, void> {
      const held = memory.hold();
      try {
        held.add(1000);
        yield* asStored([{ traceId: '1'.repeat(32), spans: [] }]);
      } finally {
        held.free();
      }
    }
    const [asked, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const app = fastify();
    app.get('/', async (request, reply) => {
      asked.resolve();
      await once(reply.raw, 'close');
      const context = { request, reply, params: new URLSearchParams(), tenant: 'default' };
      const signal = new AbortController().signal;
      const sent = sendTraces({ ...context, signal }, deps, [], read(), true, () => ({
        errors: [],
      }));
      sent.finally(ended.resolve).catch(() => undefined);
      return await sent;
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const headers = { 'accept-encoding': coding };
    const client = get({ port, host: '127.0.0.1', headers }).on('error', () => undefined);
    await asked.promise;
    client.destroy();
    await ended.promise;
    await app.close();
    assert.equal(memory.bytes, 0);
  });
}
