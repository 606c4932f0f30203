// Attributes written the short way: whole numbers become ints, others doubles.

import type { Attribute, Value } from '../../model/span.ts';

export type Plain = string | number | boolean | undefined;

/** Undefined ones are left out. A double that may be whole needs `model/span.ts` Value itself. */
export function attributes(record: Readonly<Record<string, Plain>>): Attribute[] {
  const list: Attribute[] = [];
  for (const [key, plain] of Object.entries(record)) {
    if (plain !== undefined) list.push({ key, value: toValue(plain) });
  }
  return list;
}

function toValue(plain: string | number | boolean): Value {
  if (typeof plain === 'string') return { type: 'string', value: plain };
  if (typeof plain === 'boolean') return { type: 'bool', value: plain };
  if (Number.isInteger(plain)) return { type: 'int', value: BigInt(plain) };
  return { type: 'double', value: plain };
}
