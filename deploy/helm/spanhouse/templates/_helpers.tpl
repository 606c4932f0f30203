{{/* Names end at 40 characters, so that a component's name still fits a label. */}}
{{- define "spanhouse.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Call with (dict "root" $ "component" "collector"). */}}
{{- define "spanhouse.name" -}}
{{- printf "%s-%s" (include "spanhouse.fullname" .root) .component -}}
{{- end -}}

{{- define "spanhouse.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "spanhouse.labels" -}}
{{ include "spanhouse.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: spanhouse
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "spanhouse.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spanhouse.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "spanhouse.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{/* The components of the mode, as a comma-separated list. */}}
{{- define "spanhouse.components" -}}
{{- if eq .Values.mode "all-in-one" -}}
all-in-one
{{- else -}}
{{- $on := list -}}
{{- range list "collector" "ingester" "query" -}}
{{- if (index $.Values .).enabled -}}{{- $on = append $on . -}}{{- end -}}
{{- end -}}
{{- join "," $on -}}
{{- end -}}
{{- end -}}

{{- define "spanhouse.valuesKey" -}}
{{- if eq . "all-in-one" -}}allInOne{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{/*
The settings of one component: what the chart knows, then `config`, then the component's own.
Only what the component reads is in it, so that a change of another one does not restart it.
*/}}
{{- define "spanhouse.config" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- $made := dict "listen" (dict "host" "0.0.0.0") "log" (dict "format" "json") "retention" $v.retention -}}
{{- if has .component (list "collector" "ingester") -}}
{{- $kafka := dict "brokers" $v.kafka.brokers "topic" $v.kafka.topic "dead_letter_topic" $v.kafka.deadLetterTopic -}}
{{- $_ := set $kafka "partitions" (int $v.kafka.partitions) -}}
{{- $_ := set $kafka "replication" (int $v.kafka.replication) -}}
{{- $_ := set $kafka "create_topics" $v.kafka.createTopics -}}
{{- if $v.kafka.tls.enabled -}}
{{- $_ := set $kafka "tls" true -}}
{{- if $v.kafka.tls.existingSecret -}}
{{- with $v.kafka.tls.caKey -}}{{- $_ := set $kafka "tls_ca" (printf "/etc/spanhouse/kafka-tls/%s" .) -}}{{- end -}}
{{- with $v.kafka.tls.certKey -}}{{- $_ := set $kafka "tls_cert" (printf "/etc/spanhouse/kafka-tls/%s" .) -}}{{- end -}}
{{- with $v.kafka.tls.keyKey -}}{{- $_ := set $kafka "tls_key" (printf "/etc/spanhouse/kafka-tls/%s" .) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if ne $v.kafka.sasl.mechanism "none" -}}
{{- $_ := set $kafka "sasl_mechanism" $v.kafka.sasl.mechanism -}}
{{- $_ := set $kafka "sasl_user" $v.kafka.sasl.user -}}
{{- end -}}
{{- $_ := set $made "kafka" $kafka -}}
{{- end -}}
{{- if has .component (list "ingester" "query" "migrate") -}}
{{- $clickhouse := dict "url" $v.clickhouse.url "database" $v.clickhouse.database "user" $v.clickhouse.user -}}
{{- with $v.clickhouse.cluster -}}{{- $_ := set $clickhouse "cluster" . -}}{{- end -}}
{{- with $v.clickhouse.queryUser -}}{{- $_ := set $clickhouse "query_user" . -}}{{- end -}}
{{- $_ := set $made "clickhouse" $clickhouse -}}
{{- end -}}
{{- if eq .component "all-in-one" -}}
{{- $_ := set $made "storage" (dict "directory" "/var/lib/spanhouse") -}}
{{- end -}}
{{- if include "spanhouse.hasTls" . -}}
{{- $tls := dict "cert" (printf "/etc/spanhouse/tls/%s" $v.tls.certKey) "key" (printf "/etc/spanhouse/tls/%s" $v.tls.keyKey) -}}
{{- with $v.tls.clientCaKey -}}{{- $_ := set $tls "client_ca" (printf "/etc/spanhouse/tls/%s" .) -}}{{- end -}}
{{- $_ := set $made "tls" $tls -}}
{{- end -}}
{{- $own := dict -}}
{{- if ne .component "migrate" -}}
{{- $own = (index $v (include "spanhouse.valuesKey" .component)).config -}}
{{- end -}}
{{- toYaml (mergeOverwrite $made (deepCopy $v.config) (deepCopy $own)) -}}
{{- end -}}

{{/* Whether a component listens with TLS. */}}
{{- define "spanhouse.hasTls" -}}
{{- if and .root.Values.tls.existingSecret (has .component (list "collector" "query" "all-in-one")) -}}yes{{- end -}}
{{- end -}}

{{/* Passwords, from Secrets that are there already. */}}
{{- define "spanhouse.secretEnv" -}}
{{- $v := .root.Values -}}
{{- if has .component (list "collector" "ingester") }}
{{- if and (ne $v.kafka.sasl.mechanism "none") $v.kafka.sasl.existingSecret }}
- name: SPANHOUSE_KAFKA_SASL_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ $v.kafka.sasl.existingSecret | quote }}, key: {{ $v.kafka.sasl.passwordKey | quote }} } }
{{- end }}
{{- end }}
{{- if and (has .component (list "ingester" "query" "migrate")) $v.clickhouse.existingSecret }}
- name: SPANHOUSE_CLICKHOUSE_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ $v.clickhouse.existingSecret | quote }}, key: {{ $v.clickhouse.passwordKey | quote }} } }
{{- if $v.clickhouse.queryPasswordKey }}
- name: SPANHOUSE_CLICKHOUSE_QUERY_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ $v.clickhouse.existingSecret | quote }}, key: {{ $v.clickhouse.queryPasswordKey | quote }} } }
{{- end }}
{{- end }}
{{- end -}}

{{- define "spanhouse.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "spanhouse.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Ports that a component listens on: name, number, protocol. */}}
{{- define "spanhouse.ingestPorts" -}}
- { name: otlp-grpc, port: 4317, protocol: TCP, appProtocol: kubernetes.io/h2c }
- { name: otlp-http, port: 4318, protocol: TCP, appProtocol: http }
- { name: zipkin, port: 9411, protocol: TCP, appProtocol: http }
- { name: jaeger-grpc, port: 14250, protocol: TCP, appProtocol: kubernetes.io/h2c }
- { name: jaeger-http, port: 14268, protocol: TCP, appProtocol: http }
- { name: sampling-http, port: 5778, protocol: TCP, appProtocol: http }
- { name: sampling-grpc, port: 5779, protocol: TCP, appProtocol: kubernetes.io/h2c }
{{- end -}}
{{- define "spanhouse.udpPorts" -}}
- { name: jaeger-compact, port: 6831, protocol: UDP }
- { name: jaeger-binary, port: 6832, protocol: UDP }
{{- end -}}
{{- define "spanhouse.queryPorts" -}}
- { name: query-http, port: 16686, protocol: TCP, appProtocol: http }
- { name: query-grpc, port: 16685, protocol: TCP, appProtocol: kubernetes.io/h2c }
{{- end -}}

{{- define "spanhouse.containerPorts" -}}
{{- $ports := list -}}
{{- if has .component (list "collector" "all-in-one") -}}
{{- $ports = concat $ports (include "spanhouse.ingestPorts" . | fromYamlArray) (include "spanhouse.udpPorts" . | fromYamlArray) -}}
{{- end -}}
{{- if has .component (list "query" "all-in-one") -}}
{{- $ports = concat $ports (include "spanhouse.queryPorts" . | fromYamlArray) -}}
{{- end -}}
{{- range $ports }}
- { name: {{ .name }}, containerPort: {{ .port }}, protocol: {{ .protocol }} }
{{- end }}
- { name: metrics, containerPort: 8888, protocol: TCP }
- { name: health, containerPort: 13133, protocol: TCP }
{{- end -}}

{{/* The pod of a component; call with (dict "root" $ "component" "…"). */}}
{{- define "spanhouse.pod" -}}
{{- $root := .root -}}
{{- $own := index $root.Values (include "spanhouse.valuesKey" .component) -}}
{{- $tls := and (has .component (list "collector" "ingester")) $root.Values.kafka.tls.enabled $root.Values.kafka.tls.existingSecret -}}
metadata:
  labels:
    {{- include "spanhouse.labels" . | nindent 4 }}
    {{- with $own.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # A pod reads its settings at the start only, so that a change of them makes new pods.
    checksum/config: {{ include "spanhouse.config" . | sha256sum }}
    {{- with $own.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "spanhouse.serviceAccount" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $own.terminationGracePeriodSeconds }}
  securityContext: {{- include "spanhouse.podSecurity" . | nindent 4 }}
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $own.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if $own.topologySpreadConstraints }}
    {{- toYaml $own.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector: { matchLabels: {{ include "spanhouse.selectorLabels" . | fromYaml | toJson }} }
    {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "spanhouse.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [{{ .component }}, --config, /etc/spanhouse/config/spanhouse.yaml]
      env:
        {{- if eq .component "ingester" }}
        # A name that outlives a restart, so that a restart moves no partition.
        - name: SPANHOUSE_INGESTER_INSTANCE
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        {{- end }}
        {{- include "spanhouse.secretEnv" . | nindent 8 }}
        {{- with $own.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      ports: {{- include "spanhouse.containerPorts" . | nindent 8 }}
      startupProbe:
        httpGet: { path: /healthz, port: health }
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /healthz, port: health }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: health }
        periodSeconds: 5
        timeoutSeconds: 3
      lifecycle:
        # Until every node has learned that this pod is going, spans still come: it stays up.
        preStop: { exec: { command: [node, -e, "setTimeout(()=>{},5000)"] } }
      resources: {{- toYaml $own.resources | nindent 8 }}
      securityContext: {{- include "spanhouse.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - { name: config, mountPath: /etc/spanhouse/config, readOnly: true }
        - { name: tmp, mountPath: /tmp }
        {{- if $tls }}
        - { name: kafka-tls, mountPath: /etc/spanhouse/kafka-tls, readOnly: true }
        {{- end }}
        {{- if include "spanhouse.hasTls" . }}
        - { name: tls, mountPath: /etc/spanhouse/tls, readOnly: true }
        {{- end }}
        {{- if eq .component "all-in-one" }}
        - { name: data, mountPath: /var/lib/spanhouse }
        {{- end }}
        {{- with $own.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    - name: config
      configMap: { name: {{ include "spanhouse.name" . }} }
    - { name: tmp, emptyDir: {} }
    {{- if $tls }}
    - name: kafka-tls
      secret: { secretName: {{ $root.Values.kafka.tls.existingSecret | quote }}, defaultMode: 0440 }
    {{- end }}
    {{- if include "spanhouse.hasTls" . }}
    - name: tls
      secret: { secretName: {{ $root.Values.tls.existingSecret | quote }}, defaultMode: 0440 }
    {{- end }}
    {{- if and (eq .component "all-in-one") (not $own.persistence.enabled) }}
    - { name: data, emptyDir: {} }
    {{- end }}
    {{- with $own.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end -}}
