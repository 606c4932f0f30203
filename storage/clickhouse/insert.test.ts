import { send, spansQuery, startTestEngine } from '../embedded/testing.ts';
import { spanStoreContract } from '../span_store_contract.ts';
import { ClickHouseSpanStore } from './insert.ts';

spanStoreContract('ClickHouse (embedded)', async () => {
  const engine = await startTestEngine();
  const { embedded } = engine;
  const number = async (query: string) => Number((await engine.rows(query))[0]?.['n']);
  // The engine must not merge duplicates away before they are counted.
  await send(embedded, 'ingest', 'SYSTEM STOP MERGES');
  return {
    store: new ClickHouseSpanStore(embedded.access),
    makeNative: (rows, seed) => engine.native(spansQuery(rows, seed)),
    makeForeignNative: () => engine.native(`SELECT 'default' AS tenant, 1 AS no_such_column`),
    count: (table) => number(`SELECT count() AS n FROM spanhouse.${table}`),
    countDerived: () =>
      number(
        'SELECT (SELECT count() FROM spanhouse.trace_summaries) + ' +
          '(SELECT count() FROM spanhouse.operations) + ' +
          '(SELECT count() FROM spanhouse.resources) AS n',
      ),
    async crash() {
      const { pid } = embedded;
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    async close() {
      await engine[Symbol.asyncDispose]();
    },
  };
});
