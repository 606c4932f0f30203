// Random values, attributes and texts, and how messages get their optional and unknown fields.

import fc from 'fast-check';
import type { PlainAttribute, PlainUnknown, PlainValue } from './plain_request.ts';

export const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 2, arbitrary: fc.constantFrom('', 'GET /', '結果', 'žluťoučký kůň', '🧭🧭') },
);

/** Around the limits of names (1024) and of the service (255), with characters of 1 to 4 bytes. */
const longText = fc
  .tuple(fc.constantFrom('a', 'é', '結', '🧭'), fc.integer({ min: -4, max: 4 }))
  .chain(([unit, off]) =>
    fc.constantFrom(255, 1024).map((max) => {
      const bytes = new TextEncoder().encode(unit).length;
      return 'x'.repeat((max + off + 40) % bytes) + unit.repeat(Math.floor((max + off) / bytes));
    }),
  );

export const name = fc.oneof({ weight: 40, arbitrary: text }, { weight: 1, arbitrary: longText });

const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('service.name', 'http.method', 'a', 'b', 'émoji.🧭') },
  { weight: 4, arbitrary: name },
);

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -200n, max: 200n }),
);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
export const uint32 = fc.oneof(
  fc.nat(5),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.constant(2 ** 32 - 1),
);
const bytes = fc.uint8Array({ maxLength: 12 });

const double = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, 1, -1.5, 1e21, 1e-7, 123456789012345680000, 5e-324, Number.NaN, 1 / 3),
);

/** Each field there in seven of eight. */
export function some<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  const optional = Object.entries(model).map(([field, arbitrary]) =>
    fc
      .option(arbitrary as fc.Arbitrary<unknown>, { freq: 7, nil: undefined })
      .map((value) => (value === undefined ? [] : [[field, value]])),
  );
  return fc.tuple(...optional).map((entries) => Object.fromEntries(entries.flat()) as Partial<T>);
}

const UNKNOWN = {
  unknownVarint: uint64,
  unknownFixed64: uint64,
  unknownBytes: bytes,
  unknownFixed32: uint32,
};

/** Adds an unknown field to one of sixteen messages. */
export function odd<T extends object>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T & PlainUnknown> {
  const unknown = fc.constantFrom(...Object.entries(UNKNOWN)).chain(([field, value]) => {
    return (value as fc.Arbitrary<unknown>).map((drawn) => ({ [field]: drawn }) as PlainUnknown);
  });
  const extra = fc.option(unknown, { freq: 1, nil: {} as PlainUnknown });
  const rarely = fc.oneof(
    { weight: 15, arbitrary: fc.constant({} as PlainUnknown) },
    { weight: 1, arbitrary: extra },
  );
  return fc.tuple(arbitrary, rarely).map(([message, added]) => ({ ...message, ...added }));
}

const { attribute } = fc.letrec<{ value: PlainValue; attribute: PlainAttribute }>((tie) => ({
  value: odd(
    fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      { weight: 6, arbitrary: name.map((stringValue) => ({ stringValue })) },
      { weight: 3, arbitrary: int64.map((int) => ({ intValue: String(int) })) },
      { weight: 2, arbitrary: double.map((doubleValue) => ({ doubleValue })) },
      { weight: 2, arbitrary: fc.boolean().map((boolValue) => ({ boolValue })) },
      { weight: 1, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: bytes.map((bytesValue) => ({ bytesValue })) },
      {
        weight: 1,
        arbitrary: fc
          .array(tie('value'), { maxLength: 3 })
          .map((values) => ({ arrayValue: { values } })),
      },
      {
        weight: 1,
        arbitrary: fc
          .array(tie('attribute'), { maxLength: 3 })
          .map((values) => ({ kvlistValue: { values } })),
      },
      // Two of one oneof: the last one counts.
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.boolean(), double)
          .map(([boolValue, doubleValue]) => ({ boolValue, doubleValue })),
      },
    ),
  ),
  attribute: odd(some({ key, value: tie('value') })) as fc.Arbitrary<PlainAttribute>,
}));

export const attributes = fc.array(attribute, { maxLength: 5 });
