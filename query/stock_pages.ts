// jaeger-ui and zipkin-lens as their projects build them, served as their own servers do: what each
// expects to be written into its page, and deep links that lead to the page (ui.md §3).

import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notFound } from './http_app.ts';
import { openFolder } from './static_pages.ts';

export interface PageSettings {
  /** Folder of a build of jaeger-ui; none unless told. */
  readonly jaegerPath?: string;
  /** A file of JSON: the page's own configuration. */
  readonly jaegerConfig?: string;
  /** Folder of a build of zipkin-lens; none unless told. */
  readonly zipkinPath?: string;
  /** Where a proxy shows us, such as /tracing; '' is the root. */
  readonly basePath?: string;
}

export interface JaegerPage {
  readonly version: string;
  readonly archiveStorage: boolean;
  readonly metricsStorage: boolean;
}

/** jaeger-ui on all paths that no API has. Throws Error in words for the operator. */
export function registerJaegerPage(
  app: FastifyInstance,
  { jaegerPath, jaegerConfig = '', basePath = '' }: PageSettings,
  page: JaegerPage,
): void {
  if (jaegerPath === undefined) return;
  const folder = openFolder(jaegerPath, 'ui.jaeger_path');
  const config = jaegerConfig === '' ? {} : readConfig(jaegerConfig);
  const edit = (html: string): string => injectJaeger(html, config, page, basePath);
  app.get('/*', async (request, reply) => {
    const path = pathOf(request);
    // An API that is not there is not the page: its callers would take it for JSON.
    if (/^\/(api|zipkin|analytics)(\/|$)/.test(path)) return notFound(reply);
    const sent = await folder.sendFile(request, reply, path);
    if (sent !== undefined) return sent;
    if (path.startsWith('/static/')) return notFound(reply);
    return await folder.sendIndex(reply, edit);
  });
}

/** zipkin-lens below /zipkin/. Throws Error in words for the operator. */
export function registerZipkinPage(
  app: FastifyInstance,
  { zipkinPath, basePath = '' }: PageSettings,
): void {
  if (zipkinPath === undefined) return;
  const folder = openFolder(zipkinPath, 'ui.zipkin_path');
  const base = `${basePath}/zipkin/`;
  const page = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const path = pathOf(request);
    if (path === '/zipkin') return reply.redirect(base, 302);
    if (path.startsWith('/zipkin/api/')) return notFound(reply);
    const sent = await folder.sendFile(request, reply, path.slice('/zipkin'.length));
    if (sent !== undefined) return sent;
    // A file that is missing is not the page, but for the page itself.
    const isFile = /\.[a-z0-9]+$/i.test(path) && !path.endsWith('/index.html');
    if (isFile) return notFound(reply);
    return await folder.sendIndex(reply, (html) => setBase(html, base));
  };
  app.get('/zipkin', page);
  app.get('/zipkin/*', page);
}

/** On a port that is Zipkin's only, where its page is what people look for. */
export function registerZipkinRedirects(
  app: FastifyInstance,
  { zipkinPath, basePath = '' }: PageSettings,
): void {
  if (zipkinPath === undefined) return;
  app.get('/', (_request, reply) => reply.redirect(`${basePath}/zipkin/`, 302));
  app.get('/favicon.ico', (_request, reply) =>
    reply.redirect(`${basePath}/zipkin/favicon.ico`, 302),
  );
}

function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '').split('?', 1)[0] as string;
}

/** What jaeger-ui looks for, in the order of its versions: a name, `=`, and a word in capitals. */
function injectJaeger(html: string, config: object, page: JaegerPage, basePath: string): string {
  const { version, archiveStorage, metricsStorage } = page;
  const storage = { archiveStorage, metricsStorage };
  const values: Readonly<Record<string, object>> = {
    CONFIG: config,
    VERSION: { gitCommit: '', gitVersion: `spanhouse ${version}`, buildDate: '' },
    STORAGE_CAPABILITIES: storage,
    BACKEND_CAPABILITIES: { ...storage, searchWithoutServiceName: false, aiAssistant: false },
  };
  const injected = html.replaceAll(
    /\bJAEGER_([A-Z_]+)(\s*=\s*)DEFAULT_\1;/g,
    (match, name: string, equals: string) =>
      Object.hasOwn(values, name) ? `JAEGER_${name}${equals}${scriptJson(values[name]!)};` : match,
  );
  return setBase(injected, `${basePath}/`);
}

/** The page's own base is for the root; where it has none, its script finds it. */
function setBase(html: string, base: string): string {
  // A script may have the same text, to write it.
  return html.replaceAll(/<script\b[\s\S]*?<\/script>|<base\b[^>]*>/gi, (match) =>
    /^<base/i.test(match) ? `<base href="${base}">` : match,
  );
}

/** JSON that cannot end the script that it stands in. */
function scriptJson(value: object): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

function readConfig(path: string): object {
  const setting = 'ui.jaeger_config';
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(
      `${setting}: expected a file of JSON at ${path}, which cannot be read as such`,
      {
        cause: error,
      },
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Error(`${setting}: expected a JSON object in ${path}`);
  }
  return parsed;
}
