// A strategy as clients read it: JSON in protobuf's way (HTTP), and SamplingStrategyResponse (gRPC).

import { ProtoWriter } from '../../model/codec/otlp/proto_writer.ts';
import type { PerOperation, Strategy } from './strategies.ts';

export function strategyJson(strategy: Strategy): string {
  const operations = strategy.perOperation;
  return JSON.stringify({
    ...(strategy.type === 'probabilistic'
      ? {
          strategyType: 'PROBABILISTIC',
          probabilisticSampling: { samplingRate: strategy.probability },
        }
      : {
          strategyType: 'RATE_LIMITING',
          rateLimitingSampling: { maxTracesPerSecond: strategy.perSecond },
        }),
    ...(operations === undefined ? {} : { operationSampling: operationsJson(operations) }),
  });
}

function operationsJson(operations: PerOperation): object {
  return {
    defaultSamplingProbability: operations.defaultProbability,
    defaultLowerBoundTracesPerSecond: operations.lowerBoundPerSecond,
    perOperationStrategies: operations.operations.map(({ operation, probability }) => ({
      operation,
      probabilisticSampling: { samplingRate: probability },
    })),
    defaultUpperBoundTracesPerSecond: operations.upperBoundPerSecond,
  };
}

/** Field numbers: proto/jaeger/api_v2/sampling.proto. */
export function strategyProto(strategy: Strategy): Uint8Array {
  const out = new ProtoWriter(256);
  if (strategy.type === 'probabilistic') {
    const sampling = out.begin(2);
    out.double(1, strategy.probability);
    out.end(sampling);
  } else {
    out.uint(1, 1);
    const sampling = out.begin(3);
    out.uint(1, strategy.perSecond);
    out.end(sampling);
  }
  if (strategy.perOperation !== undefined) writeOperations(out, strategy.perOperation);
  return out.finish();
}

function writeOperations(out: ProtoWriter, operations: PerOperation): void {
  const message = out.begin(4);
  out.double(1, operations.defaultProbability);
  out.double(2, operations.lowerBoundPerSecond);
  for (const { operation, probability } of operations.operations) {
    const item = out.begin(3);
    out.string(1, operation);
    const sampling = out.begin(2);
    out.double(1, probability);
    out.end(sampling);
    out.end(item);
  }
  out.double(4, operations.upperBoundPerSecond);
  out.end(message);
}
