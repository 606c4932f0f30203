// Reads a JSON list of operators' objects and prints what their schemas refuse, as a JSON list.
import { text } from 'node:stream/consumers';
import { GRPCRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/GRPCRoute';
import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';

const kinds = { GRPCRoute, HTTPRoute, PrometheusRule, ScaledObject, ServiceMonitor };
const problems = [];
for (const object of JSON.parse(await text(process.stdin))) {
  const Kind = kinds[object.kind];
  const name = `${object.kind} ${object.metadata?.name}`;
  try {
    if (Kind === undefined) throw new Error('no schema');
    new Kind(object).validate();
  } catch (error) {
    problems.push(`${name}: ${error.message}`);
  }
}
process.stdout.write(JSON.stringify(problems));
