import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { where } from './where.ts';

test('a path of --query is kept, and what is no query service is named', async () => {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url?.split('?')[0] ?? '');
    response.writeHead(502).end('<html>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const run = (path: string) =>
    where.run({
      ...{ args: ['--service=a', `--query=http://127.0.0.1:${port}${path}`], env: {} },
      ...{ out: () => undefined, err: () => undefined },
    });
  const wanted = /expected an answer of a query service from .*, received status 502 and no JSON/;
  for (const path of ['', '/', '/tracing', '/tracing/']) await assert.rejects(run(path), wanted);
  const own = '/api/x/contributions';
  assert.deepEqual(paths, [own, own, `/tracing${own}`, `/tracing${own}`]);
  server.close();
});
