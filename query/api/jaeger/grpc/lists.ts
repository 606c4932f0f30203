// What both versions of Jaeger's query service ask in the same words: services, operations, and who
// calls whom.

import { listDependencies } from '../../../dependencies.ts';
import type { QueryDeps } from '../../../http_answer.ts';
import { listOperations, listServices } from '../../../lists.ts';
import { kindOf } from '../v3/params.ts';
import type { GrpcService } from './call.ts';
import { dependenciesProto, operationsProto, servicesProto } from './messages.ts';
import { readDependencies, readOperations } from './requests.ts';

/** `missing` makes the sentence for a bound of the window that is not there, by its name. */
export function listMethods(
  { select }: QueryDeps,
  version: Parameters<typeof operationsProto>[0],
  missing: (name: string) => string,
): GrpcService['unary'] {
  return {
    GetServices: async ({ tenant, signal }) =>
      servicesProto(await listServices(select, tenant, signal)),
    GetOperations: async ({ read, tenant, signal }) => {
      const { service, kind } = read(readOperations);
      const of = { service, ...kindOf('span_kind', kind) };
      return operationsProto(version, await listOperations(select, tenant, of, signal));
    },
    GetDependencies: async ({ read, tenant, signal, enter }) => {
      const filter = read((request) => readDependencies(request, tenant, missing));
      await enter();
      return dependenciesProto(await listDependencies(select, filter, signal));
    },
  };
}
