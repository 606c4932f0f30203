import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusalError } from '../../../service/refusal.ts';
import type { FindQuery } from '../../find.ts';
import { boolParam, parsePathTraceId, parseSearch } from './search_params.ts';

const NOW = 1_800_000_000_000_000_000n;

function parse(query: string): FindQuery {
  const parsed = parseSearch(new URLSearchParams(query), 'acme', NOW);
  assert.ok(parsed.type === 'find');
  return parsed.query;
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof RefusalError);
    assert.equal(error.refusal.code, 'malformed');
    return error.message;
  }
  return assert.fail('it was not refused');
}

const refusal = (query: string): string => messageOf(() => parse(query));

test('what is not given has the defaults of Jaeger', () => {
  assert.deepEqual(parse('service=shop'), {
    tenant: 'acme',
    service: 'shop',
    startUnixNanos: NOW - 48n * 3_600_000_000_000n,
    endUnixNanos: NOW,
    tags: [],
    limit: 100,
    order: 'newest',
  });
});

test('what is given is taken over, times as whole microseconds', () => {
  const query =
    'service=s&operation=o&start=5&end=7&minDuration=1ms&maxDuration=2s&limit=3&tag=a:b:c&lookback=1h';
  assert.deepEqual(parse(query), {
    tenant: 'acme',
    service: 's',
    operation: 'o',
    startUnixNanos: 5000n,
    endUnixNanos: 7999n,
    durationNanosMin: 1_000_000n,
    durationNanosMax: 2_000_000_000n,
    tags: [{ key: 'a', text: 'b:c' }],
    limit: 3,
    order: 'newest',
  });
});

test('parameters that are empty count as not given', () => {
  const empty = 'operation=&start=&end=&minDuration=&maxDuration=&limit=&tags=&traceID=';
  assert.deepEqual(parse(`service=shop&${empty}`), parse('service=shop'));
});

test('of a tag that is given twice the last one counts, and strange keys are kept', () => {
  const tags = encodeURIComponent('{"a":"2","__proto__":"x","":""}');
  assert.deepEqual(parse(`service=s&tag=a:1&tags=${tags}`).tags, [
    { key: 'a', text: '2' },
    { key: '__proto__', text: 'x' },
    { key: '', text: '' },
  ]);
});

test('trace ids make every other parameter unimportant', () => {
  const params = new URLSearchParams('traceID=1&traceID=ABCDEF&start=x&limit=-1');
  assert.deepEqual(parseSearch(params, 'acme', NOW), {
    type: 'get',
    ids: [
      { high: 0n, low: 1n },
      { high: 0n, low: 0xabcdefn },
    ],
  });
});

test('what cannot be understood is refused in the words of Jaeger', () => {
  const cases: [string, string][] = [
    ['', "parameter 'service' is required"],
    ['service=', "parameter 'service' is required"],
    [
      'service=s&start=x',
      `unable to parse param 'start': strconv.ParseInt: parsing "x": invalid syntax`,
    ],
    [
      'service=s&limit=1.5',
      `unable to parse param 'limit': strconv.ParseInt: parsing "1.5": invalid syntax`,
    ],
    [
      'service=s&end=9223372036854775808',
      `unable to parse param 'end': strconv.ParseInt: parsing "9223372036854775808": value out of range`,
    ],
    [
      'service=s&minDuration=20',
      `unable to parse param 'minDuration': time: missing unit in duration "20"`,
    ],
    [
      'service=s&minDuration=2s&maxDuration=1s',
      "'maxDuration' should be greater than 'minDuration'",
    ],
    ['service=s&tag=k', "malformed 'tag' parameter, expecting key:value, received: k"],
    [
      'service=s&tags={"a":1}',
      "malformed 'tags' parameter, cannot unmarshal JSON: json: cannot unmarshal number into Go value of type string",
    ],
    [
      'traceID=x200',
      'cannot parse traceID param: strconv.ParseUint: parsing "x200": invalid syntax',
    ],
  ];
  for (const [query, message] of cases) assert.equal(refusal(query), message, query);
});

test('what would cost too much is refused with its bound', () => {
  const cases: [string, RegExp][] = [
    ['service=s&limit=1000000000', /between 1 and 1500, received 1000000000/],
    ['service=s&limit=-1', /between 1 and 1500/],
    ['service=s&start=9&end=8', /'start' should be before 'end'/],
    ['service=s&start=99999999999999999', /'start'|out of range/],
    ['service=s&minDuration=-5ms', /should not be negative/],
    ['service=s&minDuration=5d', /unknown unit "d"/],
    [`service=${'s'.repeat(2000)}`, /at most 1024 characters, received 2000/],
    [`service=s&tag=k:${'v'.repeat(1_048_576)}`, /at most 4096 characters/],
    [`service=s&tag=${'k'.repeat(2000)}:v`, /at most 1024 characters/],
    [
      `service=s&${Array.from({ length: 10_000 }, (_, i) => `tag=k${i}:v`).join('&')}`,
      /at most 32 tags may be given, received 10000/,
    ],
    [Array.from({ length: 300 }, () => 'traceID=1').join('&'), /at most 200 'traceID'/],
    ['service=s&tags=[]', /cannot unmarshal array/],
    ['service=s&tags={', /not JSON/],
    [`service=s&tags=${'['.repeat(100_000)}`, /not JSON/],
    [`traceID=${'1'.repeat(33)}`, /cannot be longer than 32/],
  ];
  for (const [query, pattern] of cases) assert.match(refusal(query), pattern, query.slice(0, 60));
});

test('a refusal never repeats more than a line of what came', () => {
  for (const query of [
    'service=s&start=',
    'service=s&tag=',
    'service=s&minDuration=',
    'traceID=',
  ]) {
    const message = refusal(`${query}${encodeURIComponent('\r\nX'.repeat(50_000))}`);
    assert.ok(message.length < 2000, `${message.length} characters`);
    assert.doesNotMatch(message, /[\r\n]/);
  }
});

test('an id in a path may lack its leading zeros, and is named half by half when it is none', () => {
  assert.deepEqual(parsePathTraceId('10000000000000000'), { high: 1n, low: 0n });
  assert.equal(
    messageOf(() => parsePathTraceId(`1${'z'.repeat(16)}`)),
    `unable to parse param 'traceID': strconv.ParseUint: parsing "${'z'.repeat(16)}": invalid syntax`,
  );
});

test('booleans are those of Go', () => {
  const bool = (text: string): boolean => boolParam(new URLSearchParams({ raw: text }), 'raw');
  for (const text of ['1', 't', 'T', 'true', 'TRUE', 'True']) assert.equal(bool(text), true);
  for (const text of ['', '0', 'f', 'F', 'false', 'FALSE', 'False'])
    assert.equal(bool(text), false);
  assert.equal(
    messageOf(() => bool('yes')),
    `unable to parse param 'raw': strconv.ParseBool: parsing "yes": invalid syntax`,
  );
});
