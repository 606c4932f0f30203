// The parameters of /api/metrics/*, with the error texts of Jaeger's own parser (jaeger.md §2.4).

import type { SpanKind } from '../../../model/span.ts';
import { RefusalError } from '../../../service/refusal.ts';
import type { SpmQuery } from '../../spm.ts';
import { KIND_NAMES } from '../../tags.ts';
import { quote } from './go_duration.ts';
import { boolParam, millisParam } from './search_params.ts';

const MILLI_NANOS = 1_000_000n;
const LOOKBACK_MS = 3_600_000;
const STEP_MS = 5000;
const RATE_PER_MS = 600_000;
/** What Prometheus answers at most of one series. */
const POINTS_MAX = 11_000;
/** As long as spans can be kept (retention, at most 3,650 days). */
const LOOK_MS_MAX = 3650 * 86_400_000;
/** A page shows one service; a dashboard a few dozen. */
const SERVICES_MAX = 100;
/** Names of services are cut at 255 bytes when they are stored. */
const SERVICE_CHARS_MAX = 1024;
const SERVER = 2;

/** Throws RefusalError `malformed`. */
export function parseSpm(
  params: URLSearchParams,
  metric: SpmQuery['metric'],
  tenant: string,
  nowUnixMs: number,
): SpmQuery {
  const services = servicesOf(params);
  const byOperation = boolParam(params, 'groupByOperation');
  const quantile = metric === 'latencies' ? quantileOf(params) : 0;
  const endUnixMs = millis(params, 'endTs', nowUnixMs);
  const lookbackMs = span(params, 'lookback', LOOKBACK_MS, 0);
  const stepMs = span(params, 'step', STEP_MS, 1);
  const ratePerMs = span(params, 'ratePer', RATE_PER_MS, 1);
  if (lookbackMs / stepMs > POINTS_MAX) {
    refuse(
      `'lookback' of ${lookbackMs} ms at a 'step' of ${stepMs} ms is more than ${POINTS_MAX} ` +
        'points: ask for a longer step',
    );
  }
  return {
    tenant,
    metric,
    services,
    kinds: kindsOf(params),
    byOperation,
    quantile,
    startUnixMs: Math.max(0, endUnixMs - lookbackMs),
    endUnixMs,
    stepMs,
    ratePerMs,
  };
}

function servicesOf(params: URLSearchParams): string[] {
  const services = [...new Set(params.getAll('service').filter((service) => service !== ''))];
  if (services.length === 0) {
    refuse("unable to parse param 'service': please provide at least one service name");
  }
  if (services.length > SERVICES_MAX) {
    refuse(`at most ${SERVICES_MAX} services may be given, received ${services.length}`);
  }
  const long = services.find((service) => service.length > SERVICE_CHARS_MAX);
  if (long !== undefined) {
    refuse(
      `'service' should have at most ${SERVICE_CHARS_MAX} characters, received ${long.length}`,
    );
  }
  return services;
}

function quantileOf(params: URLSearchParams): number {
  const text = params.get('quantile') ?? '';
  const value = Number(text);
  if (!/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?$/.test(text)) {
    refuse(
      `unable to parse param 'quantile': strconv.ParseFloat: parsing ${quote(text)}: invalid syntax`,
    );
  }
  if (value < 0 || value > 1) refuse(`'quantile' should be from 0 to 1, received ${quote(text)}`);
  return value;
}

function kindsOf(params: URLSearchParams): SpanKind[] {
  const names = params.getAll('spanKind').filter((name) => name !== '');
  if (names.length === 0) return [SERVER];
  const kinds = names.map((name) => {
    const kind = ['unspecified', ...KIND_NAMES.slice(1)].indexOf(name);
    if (kind === -1) {
      refuse(`unable to parse param 'spanKind': unsupported span kind: ${quote(name)}`);
    }
    return kind as SpanKind;
  });
  return [...new Set(kinds)];
}

/** Some moment from 1970 on. */
function millis(params: URLSearchParams, name: string, fallback: number): number {
  const nanos = millisParam(params, name);
  const value = nanos === undefined ? Math.floor(fallback) : Number(nanos / MILLI_NANOS);
  return value < 0 ? refuse(`'${name}' should not be negative, received ${value}`) : value;
}

/** Some length of time. */
function span(params: URLSearchParams, name: string, fallback: number, min: number): number {
  const value = millis(params, name, fallback);
  if (value < min) refuse(`'${name}' should be at least ${min} ms, received ${value}`);
  if (value > LOOK_MS_MAX) {
    refuse(`'${name}' should be at most ${LOOK_MS_MAX} ms, received ${value}`);
  }
  return value;
}

function refuse(message: string): never {
  throw new RefusalError({ code: 'malformed', message });
}
