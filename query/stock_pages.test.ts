import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer, get as httpGet, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { silentLog } from '../service/log.ts';
import { Metrics } from '../service/metrics.ts';
import { createHttpApp, requestSeconds } from './http_app.ts';
import {
  type PageSettings,
  registerJaegerPage,
  registerZipkinPage,
  registerZipkinRedirects,
} from './stock_pages.ts';

const JAEGER_HTML = `<!doctype html><html><head>
<base href="/" data-inject-target="BASE_URL" />
<script>
  function getJaegerUiConfig() {
    const DEFAULT_CONFIG = null;
    const JAEGER_CONFIG = DEFAULT_CONFIG;
    return JAEGER_CONFIG;
  }
  const JAEGER_VERSION = DEFAULT_VERSION;
  const JAEGER_STORAGE_CAPABILITIES = DEFAULT_STORAGE_CAPABILITIES;
  const JAEGER_OTHER = DEFAULT_OTHER;
  document.write('<base href="' + prefix + '">');
</script>
<script type="module" src="./static/app-0123abcd.js"></script></head><body></body></html>`;
const LENS_HTML =
  '<!doctype html><html><head><base href="/zipkin/"></head><body>lens</body></html>';
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(5000))});`;

const folder = mkdtempSync(join(tmpdir(), 'spanhouse-pages-'));
const path = (...parts: string[]): string => join(folder, ...parts);
let plain: Server;
let proxied: Server;

async function serve(settings: PageSettings): Promise<Server> {
  const app = createHttpApp(silentLog, requestSeconds(new Metrics()), settings.basePath ?? '');
  app.get('/api/services', (_request, reply) => reply.send('[]'));
  registerZipkinPage(app, settings);
  if (settings.jaegerPath === undefined) registerZipkinRedirects(app, settings);
  registerJaegerPage(app, settings, {
    version: '1.2',
    archiveStorage: true,
    metricsStorage: false,
  });
  await app.ready();
  const server = createServer((request, response) => app.routing(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

before(async () => {
  mkdirSync(path('jaeger', 'static'), { recursive: true });
  mkdirSync(path('lens', 'static'), { recursive: true });
  mkdirSync(path('lens', '.git'));
  writeFileSync(path('secret.txt'), 'secret');
  writeFileSync(path('lens', '.git', 'config'), 'secret');
  writeFileSync(path('jaeger', 'index.html'), JAEGER_HTML);
  writeFileSync(path('jaeger', 'static', 'app-0123abcd.js'), SCRIPT);
  writeFileSync(path('jaeger', 'static', 'a b.svg'), '<svg/>');
  writeFileSync(path('lens', 'index.html'), LENS_HTML);
  writeFileSync(path('lens', 'favicon.ico'), 'icon');
  writeFileSync(path('lens', 'static', 'main.js'), 'lens()');
  writeFileSync(path('lens', '.env'), 'secret');
  symlinkSync(path('secret.txt'), path('lens', 'static', 'out.txt'));
  symlinkSync(folder, path('lens', 'static', 'up'));
  symlinkSync(path('lens', '.env'), path('lens', 'static', 'hidden.txt'));
  symlinkSync(path('lens', 'static', 'main.js'), path('lens', 'static', 'same.js'));
  writeFileSync(path('config.json'), '{"menu": "</script>", "archiveEnabled": true}');
  const folders = { jaegerPath: path('jaeger'), zipkinPath: path('lens') };
  plain = await serve(folders);
  proxied = await serve({
    ...folders,
    jaegerConfig: path('config.json'),
    basePath: '/ops/tracing',
  });
});
after(() => {
  plain.close();
  proxied.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

/** Without a client that tidies the path up. */
function ask(server: Server, url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const request = { host: '127.0.0.1', port, path: url, headers };
    httpGet(request, async (response) => {
      const body = Buffer.concat(await response.toArray());
      const { statusCode: status, headers } = response;
      resolve({ status, headers, body, text: body.toString('utf8') });
    }).on('error', reject);
  });
}

test('every path that is no API and no file is Jaeger’s page, with what it looks for', async () => {
  for (const url of ['/', '/search?service=a', `/trace/${'a'.repeat(32)}`, '/index.html', '/x.y']) {
    const { status, text, headers } = await ask(plain, url);
    assert.equal(status, 200, url);
    assert.match(headers['content-type'] ?? '', /^text\/html/);
    assert.match(text, /JAEGER_CONFIG = \{\};/);
    assert.match(
      text,
      /JAEGER_VERSION = \{"gitCommit":"","gitVersion":"spanhouse 1.2","buildDate":""\};/,
    );
    assert.match(text, /CAPABILITIES = \{"archiveStorage":true,"metricsStorage":false\};/);
    assert.match(text, /JAEGER_OTHER = DEFAULT_OTHER;/);
    assert.match(text, /<base href="\/">/);
    assert.match(text, /document\.write\('<base href="' \+ prefix \+ '">'\)/);
  }
  for (const url of ['/api', '/api/nothing', '/zipkin/api/v2/nothing', '/static/missing.js']) {
    const { status, headers } = await ask(plain, url);
    assert.equal(status, 404, url);
    assert.match(headers['content-type'] ?? '', /^text\/plain/);
  }
  assert.equal((await ask(plain, '/api/services')).text, '[]');
});

test('below another path all is there, and the page knows where it is', async () => {
  const { text } = await ask(proxied, '/ops/tracing/search');
  assert.match(text, /<base href="\/ops\/tracing\/">/);
  assert.match(text, /JAEGER_CONFIG = \{"menu":"\\u003c\/script>","archiveEnabled":true\};/);
  for (const at of ['/ops/tracing', '']) {
    assert.equal((await ask(proxied, `${at}/api/services`)).text, '[]');
    assert.equal((await ask(proxied, `${at}/static/app-0123abcd.js`)).text, SCRIPT);
    assert.match(
      (await ask(proxied, `${at}/zipkin/dependency`)).text,
      /"\/ops\/tracing\/zipkin\/"/,
    );
  }
  const { status, headers } = await ask(proxied, '/ops/tracing/zipkin');
  assert.deepEqual([status, headers.location], [302, '/ops/tracing/zipkin/']);
  assert.match((await ask(proxied, '/ops/tracingother')).text, /<base/);
});

test('Zipkin’s page and its files are below /zipkin/', async () => {
  for (const url of [
    '/zipkin/',
    '/zipkin/index.html',
    '/zipkin/traces/abc',
    '/zipkin/traceViewer',
  ]) {
    const { status, text } = await ask(plain, url);
    assert.deepEqual([status, text], [200, LENS_HTML], url);
  }
  assert.equal((await ask(plain, '/zipkin/favicon.ico')).text, 'icon');
  assert.equal((await ask(plain, '/zipkin/static/main.js')).text, 'lens()');
  assert.equal((await ask(plain, '/zipkin/static/same.js')).text, 'lens()', 'a link inside');
  assert.equal((await ask(plain, '/zipkin/static/none.js')).status, 404);
  const lens = await serve({ zipkinPath: path('lens') });
  try {
    for (const [url, to] of [
      ['/', '/zipkin/'],
      ['/favicon.ico', '/zipkin/favicon.ico'],
    ] as const) {
      assert.equal((await ask(lens, url)).headers.location, to);
    }
    assert.equal((await ask(lens, '/other')).status, 404);
  } finally {
    lens.close();
  }
});

test('nothing outside of the folder can be reached, and nothing that is hidden', async () => {
  const paths = [
    ...['../secret.txt', '..%2fsecret.txt', '%2e%2e/secret.txt', 'static/..%5c..%5csecret.txt'],
    ...['static/out.txt', 'static/up/secret.txt', 'static/up/lens/.env', 'static/hidden.txt'],
    ...['.env', '.git/config', '%2eenv', '..;/secret.txt', 'static/%00', '%', '%c0%ae%c0%ae/x'],
    ...[`//${path('secret.txt')}`, `%2f${encodeURIComponent(path('secret.txt'))}`, 'c:/x.txt'],
    ...['....//secret.txt', 'static/main.js%00.txt', 'static/', 'static', 'x'.repeat(3000)],
  ];
  for (const one of paths) {
    const { text, status } = await ask(plain, `/zipkin/${one}`);
    assert.ok(!text.includes('secret'), one);
    assert.ok(status === 404 || text === LENS_HTML || text === 'bad request\n', `${one}: ${text}`);
  }
  const { status, text } = await ask(plain, '/../../../../../../etc/passwd');
  assert.ok(status === 404 || text.includes('JAEGER_CONFIG'));
});

test('files say their type, how long they last, and are compressed and known again', async () => {
  const script = await ask(plain, '/static/app-0123abcd.js', { 'accept-encoding': 'gzip' });
  assert.match(script.headers['content-type'] ?? '', /javascript/);
  assert.match(script.headers['cache-control'] ?? '', /max-age=31536000/);
  assert.equal(script.headers['x-content-type-options'], 'nosniff');
  assert.equal(script.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(script.body).toString(), SCRIPT);
  const image = await ask(plain, '/static/a%20b.svg');
  assert.match(image.headers['content-type'] ?? '', /svg/);
  assert.match(image.headers['cache-control'] ?? '', /max-age=600/);
  const etag = image.headers.etag as string;
  const known = await ask(plain, '/static/a%20b.svg', { 'if-none-match': etag });
  assert.deepEqual([known.status, known.text], [304, '']);
  const part = await ask(plain, '/static/app-0123abcd.js', { range: 'bytes=0-6' });
  assert.deepEqual([part.status, part.text], [206, 'console']);
});

test('the page may run its own scripts and no others', async () => {
  const { text, headers } = await ask(plain, '/search');
  const policy = headers['content-security-policy'] as string;
  const [, inline = ''] = /<script>([\s\S]*?)<\/script>/.exec(text) ?? [];
  const hash = createHash('sha256').update(inline).digest('base64');
  assert.match(policy, /script-src 'self' 'unsafe-eval' 'sha256-[^']+';/);
  assert.ok(policy.includes(`'sha256-${hash}'`));
  const script = /script-src [^;]*/.exec(policy)?.[0] ?? '';
  assert.ok(!script.includes('unsafe-inline'));
  const api = await ask(plain, '/api/services');
  assert.match(api.headers['content-security-policy'] as string, /default-src 'none'/);
});

test('a folder without a page, and a configuration that is none, refuse to start', async () => {
  await assert.rejects(serve({ jaegerPath: path('nothing') }), /^Error: ui\.jaeger_path: /);
  await assert.rejects(serve({ zipkinPath: folder }), /^Error: ui\.zipkin_path: /);
  const jaegerPath = path('jaeger');
  await assert.rejects(
    serve({ jaegerPath, jaegerConfig: path('secret.txt') }),
    /^Error: ui\.jaeger_config: expected a file of JSON/,
  );
  writeFileSync(path('list.json'), '[]');
  await assert.rejects(serve({ jaegerPath, jaegerConfig: path('list.json') }), /JSON object/);
});
