// What a Zipkin server counts of what it received, from our own metrics. It has more: spans that
// it dropped, and the size of the last message. We count neither by receiver, so they are not here.

const TRANSPORTS = { http: 'zipkin_http', grpc: 'zipkin_grpc' } as const;

/** `exposed`: Prometheus text. By Zipkin's names, such as counter.zipkin_collector.spans.http. */
export function collectorCounters(exposed: string): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const [transport, receiver] of Object.entries(TRANSPORTS)) {
    const sum = (metric: string, isCounted = (_outcome: string): boolean => true): number =>
      sumOf(exposed, metric, receiver, isCounted);
    const name = (what: string): string => `counter.zipkin_collector.${what}.${transport}`;
    counters[name('messages')] = sum('spanhouse_requests_total');
    counters[name('messages_dropped')] = sum(
      'spanhouse_requests_total',
      (outcome) => outcome !== 'ok' && outcome !== 'partial',
    );
    counters[name('bytes')] = sum('spanhouse_request_bytes_total');
    counters[name('spans')] = sum('spanhouse_spans_received_total');
  }
  return counters;
}

function sumOf(
  exposed: string,
  metric: string,
  receiver: string,
  isCounted: (outcome: string) => boolean,
): number {
  let sum = 0;
  for (const line of exposed.split('\n')) {
    if (!line.startsWith(`${metric}{`) || !line.includes(`receiver="${receiver}"`)) continue;
    const outcome = /outcome="([a-z_]+)"/.exec(line)?.[1] ?? '';
    if (isCounted(outcome)) sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}
