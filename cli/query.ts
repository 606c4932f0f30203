// `spanhouse query`: the query API over a ClickHouse server that others fill.

import { type Command, helpPage } from './command.ts';
import { runProcess } from './process.ts';
import { startQueryPart } from './query_part.ts';
import { openStore } from './store.ts';

export const query: Command = {
  help: () =>
    helpPage({
      usage: 'query --clickhouse-url URL [settings]',
      about:
        'Serves the query API from a ClickHouse server. It reads only, but for what is archived\n' +
        '(--query-archive=true): `spanhouse migrate` makes the tables. Give it a ClickHouse user of\n' +
        'its own with --clickhouse-query-user.',
      settings: [
        'listen',
        'http',
        'tls',
        'limits',
        'clickhouse',
        'query',
        'zipkin',
        'ui',
        'log',
        'shutdown',
      ],
    }),
  run: (context) =>
    runProcess(context, 'query', async (deps) => {
      if (deps.config.clickhouse.url === '') {
        throw new Error(
          'clickhouse.url is not set: `query` reads from a ClickHouse server; for the embedded ' +
            'engine use `spanhouse all-in-one`, which serves queries itself',
        );
      }
      const access = await openStore(deps);
      const server = await startQueryPart(deps, access);
      return {
        query: server.addresses,
        'query grpc': server.grpc?.addresses ?? [],
        'zipkin query': server.zipkin?.addresses ?? [],
      };
    }),
};
