// The small answers of Jaeger's two query services. Field numbers: proto/jaeger.

import { ProtoWriter } from '../../../../model/codec/otlp/proto_writer.ts';
import type { Dependency } from '../../../dependencies.ts';
import type { Operation } from '../../../lists.ts';
import type { TraceSummary } from '../../../summaries.ts';
import { KIND_NAMES } from '../../../tags.ts';

/** A guess that seldom has to grow. */
const BYTES_TYPICAL = 1024;

/** GetServicesResponse of either version. */
export function servicesProto(services: readonly string[]): Uint8Array {
  const writer = new ProtoWriter(BYTES_TYPICAL);
  for (const service of services) writer.string(1, service);
  return writer.finish();
}

/** GetOperationsResponse; that of api_v2 has names for its oldest clients, too. */
export function operationsProto(version: 2 | 3, operations: readonly Operation[]): Uint8Array {
  const writer = new ProtoWriter(BYTES_TYPICAL);
  if (version === 2) {
    for (const name of new Set(operations.map((one) => one.name))) writer.string(1, name);
  }
  for (const { name, kind } of operations) {
    const mark = writer.begin(version === 2 ? 2 : 1);
    writer.string(1, name);
    writer.string(2, KIND_NAMES[kind]);
    writer.end(mark);
  }
  return writer.finish();
}

/** GetDependenciesResponse and DependenciesResponse. */
export function dependenciesProto(dependencies: readonly Dependency[]): Uint8Array {
  const writer = new ProtoWriter(BYTES_TYPICAL);
  for (const { parent, child, callCount } of dependencies) {
    const mark = writer.begin(1);
    writer.string(1, parent);
    writer.string(2, child);
    writer.uint(3, callCount);
    writer.end(mark);
  }
  return writer.finish();
}

/** FindTraceSummariesResponse. */
export function summariesProto(summaries: readonly TraceSummary[]): Uint8Array {
  const writer = new ProtoWriter(BYTES_TYPICAL);
  for (const summary of summaries) {
    const mark = writer.begin(1);
    writer.string(1, summary.traceId);
    if (summary.root !== undefined) {
      writer.string(2, summary.root.service);
      writer.string(3, summary.root.operation);
    }
    writer.fixed64(4, BigInt.asUintN(64, summary.startUnixNanos));
    writer.fixed64(5, BigInt.asUintN(64, summary.endUnixNanos));
    writer.uint(6, summary.spans);
    writer.uint(7, summary.errors);
    writer.uint(8, summary.orphans);
    for (const service of summary.services) {
      const inner = writer.begin(9);
      writer.string(1, service.name);
      writer.uint(2, service.spans);
      writer.uint(3, service.errors);
      writer.end(inner);
    }
    writer.end(mark);
  }
  return writer.finish();
}
