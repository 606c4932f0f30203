// What each service of the shop does with a request. Medians are what such services take in real
// life.

import { cacheGet, cacheSet, sql } from './database.ts';
import { externalCall, type Handler, httpCall } from './http_call.ts';
import type { Operation } from './operation.ts';
import { type Pod, SLOW_PAYMENT_VERSION } from './pods.ts';
import { type Message, publish } from './queue.ts';

/** How many single selects the cart makes where one join would do. */
export const N_PLUS_1_SELECTS = 12;

/** Storefront and gateway stand before everything; `inner` is the gateway's own work. */
export function behindGateway(method: 'GET' | 'POST', route: string, path: string, inner: Handler) {
  return (storefront: Operation): number => {
    storefront.work(1.2);
    let status = 200;
    internal(storefront, 'load session', (session) => {
      cacheGet(session, 'session:?', 0.98);
    });
    const request = { to: 'gateway', method, route: `/api${route}`, path: `/api${path}` } as const;
    status = httpCall(storefront, request, (gateway) => {
      internal(gateway, 'authenticate', (auth) => auth.work(0.6));
      return inner(gateway);
    });
    internal(storefront, 'render page', (page) => page.work(status < 400 ? 9 : 2));
    return status;
  };
}

export function homePage(gateway: Operation): number {
  gateway.parallel([
    () => listProducts(gateway),
    () => recommend(gateway),
    () => countCart(gateway),
  ]);
  return 200;
}

export function productPage(gateway: Operation): number {
  const found = getProduct(gateway);
  if (found !== 200) return found;
  gateway.parallel([() => stockOf(gateway), () => recommend(gateway)]);
  return 200;
}

/** The N+1: a list, then one select for each of its lines. */
export function cartPage(gateway: Operation): number {
  const id = gateway.random.hex(4);
  const request = {
    to: 'cart',
    method: 'GET',
    route: '/carts/{id}',
    path: `/carts/${id}`,
  } as const;
  return httpCall(gateway, request, (cart) => {
    const text = 'SELECT product_id, quantity FROM cart_lines WHERE cart_id = $1 ORDER BY added_at';
    sql(cart, { text, table: 'cart_lines', medianMs: 3, rows: N_PLUS_1_SELECTS });
    for (let line = 0; line < N_PLUS_1_SELECTS; line++) {
      const single = 'SELECT id, name, price, image_url FROM products WHERE id = $1';
      sql(cart, { text: single, table: 'products', medianMs: 4, rows: 1 });
    }
    internal(cart, 'compute totals', (totals) => totals.work(0.5));
    return 200;
  });
}

/** What goes wrong in a checkout, if anything. */
export interface CheckoutFate {
  readonly bank: 'answers' | 'fails once';
  readonly stock: 'there' | 'database gone';
  /** Default: any pod of payment. */
  readonly paymentPod?: Pod;
}

/**
 * Returns the gateway's work; `sent` is told of the message that a finished order leaves behind.
 */
export function placeOrder(fate: CheckoutFate, sent: (message: Message) => void): Handler {
  return (gateway) => {
    const request = { to: 'checkout', method: 'POST', route: '/orders', path: '/orders' } as const;
    const status = httpCall(gateway, request, (checkout) => checkOut(checkout, fate, sent));
    return status >= 500 ? 502 : status;
  };
}

function checkOut(checkout: Operation, fate: CheckoutFate, sent: (m: Message) => void): number {
  const total = 10 + checkout.random.below(40_000) / 100;
  checkout.set({ 'shop.order.items': 1 + checkout.random.below(5), 'shop.order.total': total });
  const path = `/carts/${checkout.random.hex(4)}`;
  httpCall(checkout, { to: 'cart', method: 'GET', route: '/carts/{id}', path }, (cart) => {
    if (!cacheGet(cart, 'cart:?', 0.7)) {
      const text = 'SELECT product_id, quantity FROM cart_lines WHERE cart_id = $1';
      sql(cart, { text, table: 'cart_lines', medianMs: 3, rows: 3 });
    }
    return 200;
  });
  let reserved = 0;
  const reserve = (): void => {
    reserved = reserveStock(checkout, fate);
  };
  checkout.parallel([reserve, () => quoteShipping(checkout)]);
  if (reserved >= 500) {
    const type = 'com.shop.checkout.ReservationFailedException';
    exception(checkout, type, 'inventory answered 500 to POST /reservations', JAVA_STACK);
    return 500;
  }
  charge(checkout, fate);
  const text =
    'INSERT INTO orders (id, cart_id, total, currency, status) VALUES ($1, $2, $3, $4, $5)';
  sql(checkout, { text, table: 'orders', medianMs: 5 });
  sent(publish(checkout, 'orders.placed'));
  return 201;
}

export function sendConfirmation(email: Operation): void {
  internal(email, 'render confirmation', (page) => page.work(14));
  const host = 'api.mail.example';
  const call = { host, method: 'POST', path: '/v3/mail/send', status: 202, medianMs: 120 } as const;
  externalCall(email, call);
}

export function planShipment(shipping: Operation): void {
  const text = 'INSERT INTO shipments (order_id, carrier, label) VALUES ($1, $2, $3)';
  sql(shipping, { text, table: 'shipments', medianMs: 6 });
}

function listProducts(caller: Operation): void {
  const request = { to: 'catalog', method: 'GET', route: '/products', path: '/products' } as const;
  httpCall(caller, request, (catalog) => {
    if (cacheGet(catalog, 'products:front', 0.8)) return 200;
    const text = 'SELECT id, name, price FROM products WHERE featured ORDER BY rank LIMIT 24';
    sql(catalog, { text, table: 'products', medianMs: 22, rows: 24 });
    cacheSet(catalog, 'products:front');
    return 200;
  });
}

function getProduct(caller: Operation): number {
  const path = `/products/${1000 + caller.random.below(9000)}`;
  const request = { to: 'catalog', method: 'GET', route: '/products/{id}', path } as const;
  return httpCall(caller, request, (catalog) => {
    if (cacheGet(catalog, 'product:?', 0.75)) return 200;
    const rows = catalog.random.chance(0.03) ? 0 : 1;
    const text = 'SELECT id, name, price, description, stock_key FROM products WHERE id = $1';
    sql(catalog, { text, table: 'products', medianMs: 4, rows });
    if (rows === 0) return 404;
    cacheSet(catalog, 'product:?');
    return 200;
  });
}

function recommend(caller: Operation): void {
  const path = '/recommendations';
  httpCall(caller, { to: 'recommendation', method: 'GET', route: path, path }, (recommendation) => {
    internal(recommendation, 'score candidates', (score) => {
      score.set({ 'shop.model': 'two-tower-7', 'shop.candidates': 200 });
      score.work(24, 0.5);
    });
    return 200;
  });
}

function countCart(caller: Operation): void {
  const path = `/carts/${caller.random.hex(4)}/count`;
  httpCall(caller, { to: 'cart', method: 'GET', route: '/carts/{id}/count', path }, (cart) => {
    cacheGet(cart, 'cart:?:count', 0.95);
    return 200;
  });
}

function stockOf(caller: Operation): void {
  const path = `/stock/${1000 + caller.random.below(9000)}`;
  httpCall(caller, { to: 'inventory', method: 'GET', route: '/stock/{id}', path }, (inventory) => {
    const text = 'SELECT available, reserved FROM stock WHERE product_id = %s';
    sql(inventory, { text, table: 'stock', medianMs: 2.5, rows: 1 });
    return 200;
  });
}

function reserveStock(caller: Operation, fate: CheckoutFate): number {
  const path = '/reservations';
  const request = { to: 'inventory', method: 'POST', route: path, path } as const;
  return httpCall(caller, request, (inventory) => {
    const text = 'UPDATE stock SET reserved = reserved + %s WHERE product_id = %s';
    const query = sql(inventory, { text, table: 'stock', medianMs: 6 });
    if (fate.stock === 'there') return 200;
    const message = 'server closed the connection unexpectedly';
    query.fail('psycopg.OperationalError', message);
    exception(inventory, 'psycopg.OperationalError', message, PYTHON_STACK);
    return 500;
  });
}

function quoteShipping(caller: Operation): void {
  httpCall(
    caller,
    { to: 'shipping', method: 'POST', route: '/quotes', path: '/quotes' },
    (quote) => {
      internal(quote, 'choose carrier', (carrier) => carrier.work(7));
      return 200;
    },
  );
}

function charge(caller: Operation, fate: CheckoutFate): void {
  const pod = fate.paymentPod === undefined ? {} : { pod: fate.paymentPod };
  const request = { to: 'payment', method: 'POST', route: '/charges', path: '/charges' } as const;
  httpCall(caller, { ...request, ...pod }, (payment) => {
    internal(payment, 'score risk', (risk) => {
      const slow = payment.pod.version === SLOW_PAYMENT_VERSION;
      risk.set({ 'shop.risk.rules': slow ? 4800 : 120 });
      risk.work(slow ? 420 : 9, 0.25);
    });
    const bank = { host: 'api.bank.example', method: 'POST', path: '/v2/charges' } as const;
    if (fate.bank === 'fails once') {
      externalCall(payment, { ...bank, status: 503, medianMs: 60 });
      payment.event('retry', { 'retry.attempt': 1, 'retry.delay_ms': 200 });
      payment.work(200, 0.05);
      externalCall(payment, { ...bank, status: 200, medianMs: 45, resendCount: 1 });
    } else {
      externalCall(payment, { ...bank, status: 200, medianMs: 45 });
    }
    const text = 'INSERT INTO charges (id, order_id, amount, bank_reference) VALUES (?, ?, ?, ?)';
    sql(payment, { text, table: 'charges', medianMs: 4 });
    return 201;
  });
}

function internal(parent: Operation, name: string, body: (child: Operation) => void): void {
  parent.child({ name, kind: 1, library: 'app' }, body);
}

function exception(operation: Operation, type: string, message: string, stack: string): void {
  operation.event('exception', {
    'exception.type': type,
    'exception.message': message,
    'exception.stacktrace': stack.replace('{}', `${type}: ${message}`),
  });
  operation.fail(type, message);
}

const PYTHON_STACK = `Traceback (most recent call last):
  File "/app/inventory/api.py", line 88, in reserve
    await stock.reserve(connection, lines)
  File "/app/inventory/stock.py", line 41, in reserve
    await cursor.execute(RESERVE, (line.quantity, line.product_id))
  File "/usr/lib/python3.14/site-packages/psycopg/cursor_async.py", line 97, in execute
    raise ex.with_traceback(None)
{}`;

const JAVA_STACK = `{}
\tat com.shop.checkout.Inventory.reserve(Inventory.java:64)
\tat com.shop.checkout.OrderService.place(OrderService.java:118)
\tat com.shop.checkout.OrderController.create(OrderController.java:42)
\tat java.base/java.lang.VirtualThread.run(VirtualThread.java:456)`;
