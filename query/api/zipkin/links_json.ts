// Links between services as Zipkin's API has them: names in lower case, so those that differ in
// case only are one, and no count of errors where there are none.

import { compareText } from '../../../model/compare_text.ts';
import type { ZipkinLink } from '../../../model/trace/zipkin_links.ts';

export function linksJson(links: readonly ZipkinLink[]): string {
  const sums = new Map<string, { parent: string; child: string; calls: number; errors: number }>();
  for (const link of links) {
    const [parent, child] = [link.parent.toLowerCase(), link.child.toLowerCase()];
    const key = JSON.stringify([parent, child]);
    const sum = sums.get(key) ?? { parent, child, calls: 0, errors: 0 };
    sum.calls += link.callCount;
    sum.errors += link.errorCount;
    sums.set(key, sum);
  }
  return JSON.stringify(
    [...sums.values()].sort(inOrder).map(({ parent, child, calls, errors }) => ({
      ...{ parent, child, callCount: calls },
      ...(errors === 0 ? {} : { errorCount: errors }),
    })),
  );
}

type Pair = { readonly parent: string; readonly child: string };

function inOrder(a: Pair, b: Pair): number {
  return compareText(a.parent, b.parent) || compareText(a.child, b.child);
}
