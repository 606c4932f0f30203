// What customers of the shop do, how often, and which of it is worth a look.

import type { Span } from '../../model/span.ts';
import { httpRoot } from './http_call.ts';
import { TraceDraft } from './operation.ts';
import { type Pod, type Pods, SLOW_PAYMENT_VERSION } from './pods.ts';
import { consume, type Message } from './queue.ts';
import type { Random } from './random.ts';
import {
  behindGateway,
  type CheckoutFate,
  cartPage,
  homePage,
  N_PLUS_1_SELECTS,
  placeOrder,
  planShipment,
  productPage,
  sendConfirmation,
} from './shop.ts';

export interface Scenario {
  readonly name: string;
  /** Share of the traffic, relative to the others; 0 is made on request only. */
  readonly weight: number;
  /** Set where a trace of it teaches something: what to look for in it. */
  readonly lookFor?: string;
  readonly play: (trace: TraceDraft) => void;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'home page', weight: 40, play: (trace) => view(trace, '/', '/', homePage) },
  { name: 'product page', weight: 26, play: viewProduct },
  {
    name: 'N+1 in cart',
    weight: 10,
    lookFor: `one list, then ${N_PLUS_1_SELECTS} single selects where one join would do`,
    play: (trace) => view(trace, '/cart', '/cart', cartPage),
  },
  { name: 'checkout', weight: 18, play: (trace) => checkout(trace, {}) },
  {
    name: 'slow payment',
    weight: 0,
    lookFor: `payment ${SLOW_PAYMENT_VERSION} takes 0.4 s to "score risk", 2.4.0 takes 10 ms`,
    play: (trace) => checkout(trace, { paymentPod: slowPaymentPod(trace.pods) }),
  },
  {
    name: 'retry that helps',
    weight: 4,
    lookFor: 'the bank answers 503, payment waits 200 ms and asks again',
    play: (trace) => checkout(trace, { bank: 'fails once' }),
  },
  {
    name: 'failed checkout',
    weight: 2,
    lookFor: 'inventory loses its database: an exception, and a 502 at the front',
    play: (trace) => checkout(trace, { stock: 'database gone' }),
  },
];

/** One trace of the scenario, all of whose spans have ended by `endUnixNanos`. */
export function makeTrace(
  random: Random,
  pods: Pods,
  scenario: Scenario,
  endUnixNanos: bigint,
): readonly Span[] {
  const trace = new TraceDraft(random, pods);
  scenario.play(trace);
  return trace.finish(endUnixNanos);
}

/** Any scenario, by weight. */
export function pickScenario(random: Random): Scenario {
  const total = SCENARIOS.reduce((sum, { weight }) => sum + weight, 0);
  let rest = random.fraction() * total;
  for (const scenario of SCENARIOS) {
    rest -= scenario.weight;
    if (rest < 0) return scenario;
  }
  throw new RangeError('The weights of the scenarios do not add up.');
}

function view(
  trace: TraceDraft,
  route: string,
  path: string,
  inner: Parameters<typeof behindGateway>[3],
): void {
  const request = { to: 'storefront', method: 'GET', route, path } as const;
  httpRoot(trace, request, behindGateway('GET', route, path, inner));
}

function viewProduct(trace: TraceDraft): void {
  view(trace, '/products/{id}', `/products/${1000 + trace.random.below(9000)}`, productPage);
}

function checkout(trace: TraceDraft, fate: Partial<CheckoutFate>): void {
  let order: Message | undefined;
  const remember = (message: Message): void => {
    order = message;
  };
  const whole: CheckoutFate = { bank: 'answers', stock: 'there', ...fate };
  const request = {
    to: 'storefront',
    method: 'POST',
    route: '/checkout',
    path: '/checkout',
  } as const;
  const handler = behindGateway('POST', '/checkout', '/checkout', placeOrder(whole, remember));
  httpRoot(trace, request, handler);
  if (order === undefined) return;
  consume(order, 'email', 700, sendConfirmation);
  consume(order, 'shipping', 250, planShipment);
}

function slowPaymentPod(pods: Pods): Pod {
  const pod = pods.payment.find(({ version }) => version === SLOW_PAYMENT_VERSION);
  if (pod === undefined) throw new Error(`No pod of payment runs ${SLOW_PAYMENT_VERSION}.`);
  return pod;
}
