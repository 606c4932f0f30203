// Traces as the one `{"result": TracesData}` of the v3 API, in pieces.

import { resourceSpansJson } from '../../../../model/codec/otlp/to_json.ts';
import { Breath } from '../../../breath.ts';
import type { StoredTrace } from '../../../stored_trace.ts';
import { shownChunks, type View } from '../shown.ts';

export async function* resultJson(
  first: StoredTrace,
  rest: AsyncIterable<StoredTrace>,
  view: View,
): AsyncGenerator<string, void> {
  const breath = new Breath();
  let before = '{"result":{"resourceSpans":[';
  for await (const trace of each(first, rest)) {
    for await (const chunk of shownChunks(trace, view)) {
      for (const piece of resourceSpansJson(chunk)) {
        yield before + piece;
        before = '';
        const pause = breath.step();
        if (pause !== undefined) await pause;
      }
      before = ',';
    }
  }
  yield ']}}';
}

async function* each(
  first: StoredTrace,
  rest: AsyncIterable<StoredTrace>,
): AsyncGenerator<StoredTrace, void> {
  yield first;
  yield* rest;
}
