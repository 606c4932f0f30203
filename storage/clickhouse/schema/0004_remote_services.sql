-- Whom each service spoke to, by name and with when it was last seen: Zipkin's list of remote
-- services. The name is that of Zipkin's remoteEndpoint; for spans of other protocols it follows the
-- ranking of OpenTelemetry's specification (model/codec/zipkin/remote_endpoint.ts). 15593847893710192567
-- is the scope of spans that came as Zipkin, which name it or have none.
CREATE TABLE IF NOT EXISTS {{db}}.remote_services {{on_cluster}} (
  tenant LowCardinality(String),
  service LowCardinality(String),
  remote LowCardinality(String),
  last_seen SimpleAggregateFunction(max, DateTime('UTC'))
) ENGINE = {{AggregatingMergeTree}}
ORDER BY (tenant, service, remote)
TTL last_seen + INTERVAL {{retention_days}} DAY
SETTINGS non_replicated_deduplication_window = 120000,
  merge_selector_base = 8;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{db}}.remote_services_mv {{on_cluster}} TO {{db}}.remote_services AS
SELECT tenant, service, multiIf(
    mapContains(attr_b, 'zipkin.remote'), attr_s['zipkin.remote.service'],
    attr_s['peer.service'] != '', attr_s['peer.service'],
    kind < 3 OR scope_id = 15593847893710192567, '',
    arrayFirst(
      name -> name != '' AND NOT match(name, '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$') AND position(name, ':') = 0,
      [attr_s['server.address'], attr_s['net.peer.name'], attr_s['server.socket.domain'],
        attr_s['net.sock.peer.name'], attr_s['peer.hostname'], attr_s['db.namespace'], attr_s['db.name']])) AS remote,
  max(toDateTime(ts, 'UTC')) AS last_seen
FROM {{db}}.spans_in
WHERE remote != ''
GROUP BY tenant, service, remote;
