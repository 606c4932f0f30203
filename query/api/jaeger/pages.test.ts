import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Envelope, startTestService, type TestService } from '../../testing/service.ts';
import { MINUTE, NOON, SECOND, spanOf, traceId } from '../../testing/spans.ts';

let service: TestService;
before(async () => {
  service = await startTestService();
  const spans = [3n, 9n, 1n, 7n, 5n].map((seconds, n) =>
    spanOf({
      traceId: traceId(n),
      startUnixNanos: NOON - BigInt(n) * MINUTE,
      durationNanos: seconds * SECOND,
    }),
  );
  await service.insert(spans);
  await service.insert([spanOf({ traceId: traceId(99) })], 'someone else');
});
after(() => service.stop());

interface Page extends Envelope {
  readonly nextCursor?: string;
}

async function page(parameters: string): Promise<Page> {
  const answer = await service.get(`/api/traces?service=shop&${parameters}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json() as Page;
}

const idsOf = ({ data }: Page): string[] => data.map((trace) => trace.traceID);

test('a search goes on where the page before it ended, in any order', async () => {
  const orders = { newest: [0, 1, 2, 3, 4], oldest: [4, 3, 2, 1, 0], slowest: [1, 3, 4, 0, 2] };
  for (const [order, expected] of Object.entries(orders)) {
    const all: string[] = [];
    let cursor = '';
    do {
      const one = await page(`limit=2&order=${order}&cursor=${cursor}`);
      all.push(...idsOf(one));
      cursor = one.nextCursor ?? '';
    } while (cursor !== '');
    assert.deepEqual(all, expected.map(traceId), order);
  }
});

test('all that a search would find are counted where that is asked', async () => {
  assert.equal((await page('limit=2')).total, 0, 'as Jaeger says');
  assert.equal((await page('limit=2&count=true')).total, 5);
  assert.equal((await page('limit=2&count=true&minDuration=5s')).total, 3);
});

test('what is no order, cursor or number is refused by a sentence', async () => {
  const refused = {
    'order=fastest': `'order' should be newest, oldest or slowest, received "fastest"`,
    'cursor=1;DROP': `'cursor' should be the nextCursor of an answer, received "1;DROP"`,
    [`cursor=${'9'.repeat(20)}.${'0'.repeat(32)}`]: `'cursor' should be the nextCursor`,
    'count=maybe': `unable to parse param 'count'`,
  };
  for (const [parameters, message] of Object.entries(refused)) {
    const answer = await service.get(`/api/traces?service=shop&${parameters}`);
    assert.equal(answer.status, 400, parameters);
    assert.ok(answer.json().errors?.[0]?.msg.startsWith(message), answer.text);
  }
});
