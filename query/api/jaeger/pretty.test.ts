import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PrettyPrinter } from './pretty.ts';

test('JSON is indented as JSON.stringify would, wherever the pieces are cut', () => {
  fc.assert(
    fc.property(fc.json(), fc.array(fc.nat(200)), (json, cuts) => {
      const compact = JSON.stringify(JSON.parse(json));
      const printer = new PrettyPrinter();
      let out = '';
      let from = 0;
      for (const cut of cuts.toSorted((a, b) => a - b)) {
        out += printer.write(compact.slice(from, cut));
        from = Math.max(from, cut);
      }
      out += printer.write(compact.slice(from));
      assert.equal(out, JSON.stringify(JSON.parse(compact), null, 4));
    }),
  );
});
