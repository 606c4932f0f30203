// The names that a mid-sized shop's telemetry is made of. How many distinct ones there are matters
// to dictionaries and compression: twenty services, six pods each, sixty routes, fifty statements.

import { Random } from '../../cli/demo/random.ts';

export interface CorpusService {
  readonly name: string;
  readonly short: string;
  readonly version: string;
  readonly pods: readonly string[];
}

const SHORT_NAMES =
  'frontend checkout cart payment shipping currency recommendation advert email inventory ' +
  'profile auth search pricing fraud history notification gateway catalog review';

const PODS_PER_SERVICE = 6;

/** The same ones in every corpus, whatever its seed. */
export const SERVICES: readonly CorpusService[] = SHORT_NAMES.split(' ').map((short, number) => {
  const random = new Random(1000 + number);
  return {
    name: `${short}-service`,
    short,
    version: `1.${random.below(30)}.${random.below(10)}`,
    pods: Array.from(
      { length: PODS_PER_SERVICE },
      () => `${short}-${random.hex(5)}-${random.hex(3).slice(0, 5)}`,
    ),
  };
});

const COLLECTIONS =
  'users orders carts products payments sessions invoices reviews shipments prices'.split(' ');

const ROUTE_ENDS = ['', '/{id}', '/{id}/items', '/{id}/items/{itemId}', '/search', '/{id}/status'];

export const ROUTES: readonly string[] = COLLECTIONS.flatMap((collection) =>
  ROUTE_ENDS.map((end) => `/api/v1/${collection}${end}`),
);

export interface Statement {
  readonly operation: string;
  readonly table: string;
  readonly text: string;
}

export const STATEMENTS: readonly Statement[] = COLLECTIONS.flatMap((table) =>
  [
    `SELECT id, name, status, created_at FROM ${table} WHERE id = ? AND deleted_at IS NULL LIMIT 1`,
    `SELECT t.id, t.sku, t.quantity, p.price, p.currency FROM ${table} t JOIN products p ` +
      'ON p.id = t.product_id WHERE t.owner_id = ? ORDER BY t.created_at DESC LIMIT 50',
    `INSERT INTO ${table} (id, owner_id, status, amount, currency) VALUES (?, ?, ?, ?, ?)`,
    `UPDATE ${table} SET status = ?, version = version + 1 WHERE id = ? AND version = ?`,
    `DELETE FROM ${table} WHERE expires_at < ? AND owner_id IN (SELECT id FROM users WHERE x = ?)`,
  ].map((text) => ({ operation: text.split(' ', 1)[0] ?? '', table, text })),
);

export const USER_AGENTS: readonly string[] = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/142.0.0.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148',
  'okhttp/5.3.0',
  'Go-http-client/2.0',
  'axios/1.13.2',
];

export const TOPICS: readonly string[] = [
  'orders.created',
  'payments.settled',
  'inventory.changed',
  'emails.outbound',
];

export const STEPS: readonly string[] = [
  'validate order',
  'compute totals',
  'render template',
  'apply discounts',
  'load settings',
  'serialize response',
];
