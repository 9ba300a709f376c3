{{- /*
Routing of questions to the replicas of a model. With `routing.mode: service` a Service distributes the connections; with
`gateway` the Service of the same name leads to a Gateway of this release, whose proxies ask an endpoint picker of the
model for the replica. The names of models as hosts stay, so that clients notice no difference.

See: https://gateway-api-inference-extension.sigs.k8s.io, https://github.com/llm-d/llm-d-router
*/ -}}

{{- /* Default values of `routing`. Values of an earlier chart (helm upgrade --reuse-values) have none of them. */ -}}
{{- define "kaito-chat.routingDefaults" -}}
mode: service
gatewayClassName: approuting-istio
nodeSelector: {}
tolerations: []
picker:
  image:
    repository: mcr.microsoft.com/oss/v2/llm-d/llm-d-router-endpoint-picker
    tag: v0.9.0
    digest: ""
    pullPolicy: IfNotPresent
    pullSecrets: []
  replicas: 1
  weights: {queue: 2, kvCacheUtilization: 2, prefixCache: 3}
  resources:
    requests: {cpu: 200m, memory: 512Mi}
    limits: {memory: 2Gi}
{{- end -}}

{{- /* The values of `routing`, as JSON. */ -}}
{{- define "kaito-chat.routing" -}}
{{- $routing := include "kaito-chat.routingDefaults" . | fromYaml -}}
{{- include "kaito-chat.overlay" (dict "under" $routing "over" (default dict .Values.routing)) -}}
{{- toJson $routing -}}
{{- end -}}

{{- /* Write the values of `over` into `under`, where mergeOverwrite would ignore a 0. Resources and selectors are replaced. */ -}}
{{- define "kaito-chat.overlay" -}}
{{- range $key, $value := .over -}}
{{- $old := get $.under $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $old) (not (has $key (list "resources" "nodeSelector"))) -}}
{{- include "kaito-chat.overlay" (dict "under" $old "over" $value) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $.under $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Not empty if the questions to this model go through the gateway: the picker reads vLLM's metrics of an InferenceSet. */ -}}
{{- define "kaito-chat.routed" -}}
{{- $model := .Values.model -}}
{{- if and $model.enabled (eq (include "kaito-chat.routing" . | fromJson).mode "gateway") (include "kaito-chat.several" .) (not $model.template) -}}
{{- $runtime := get (include "kaito-chat.kaitoAnnotations" . | fromJson) "kaito.sh/runtime" -}}
{{- if ne $runtime "transformers" -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Not empty if a model of this release, or a standby, is routed by the gateway. */ -}}
{{- define "kaito-chat.hasGateway" -}}
{{- include "kaito-chat.resolve" . -}}
{{- range prepend (get .Values.model "resolved").others . }}{{ include "kaito-chat.routed" . }}{{ end -}}
{{- end -}}

{{- /* The Gateway, with its ConfigMap and policy. Istio appends `-approuting-istio` to the names of its objects. */ -}}
{{- define "kaito-chat.gateway" -}}
{{- printf "%s-models" (include "kaito-chat.fullname" .) -}}
{{- end -}}

{{- /* Label of the pods of the Gateway's proxies, which every implementation sets. */ -}}
{{- define "kaito-chat.gatewaySelector" -}}
gateway.networking.k8s.io/gateway-name: {{ include "kaito-chat.gateway" . | quote }}
{{- end -}}

{{- /* The endpoint picker of a model: Deployment, Service and the rest. At most 53 characters. */ -}}
{{- define "kaito-chat.picker" -}}
{{- printf "%s-picker" (include "kaito-chat.model" .) -}}
{{- end -}}

{{- /* Labels of the pods of a picker. */ -}}
{{- define "kaito-chat.pickerSelector" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/component: picker
kaito-chat/picker: {{ include "kaito-chat.model" . | quote }}
{{- end -}}

{{- /* Labels of the objects of a picker. */ -}}
{{- define "kaito-chat.pickerLabels" -}}
{{ include "kaito-chat.labels" . }}
app.kubernetes.io/component: picker
{{- with include "kaito-chat.modelLabel" . }}
{{ . }}
{{- end }}
{{- end -}}

{{- /* The picker's image; a digest takes precedence over a tag. */ -}}
{{- define "kaito-chat.pickerImage" -}}
{{- $image := (include "kaito-chat.routing" . | fromJson).picker.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag }}
{{- end -}}
{{- end -}}

{{- /*
Configuration of the picker: few waiting requests, a free cache, and the replica that has the beginning of the conversation
in its cache. Of the weights only the ratio counts.
*/ -}}
{{- define "kaito-chat.pickerConfig" -}}
{{- $weights := (include "kaito-chat.routing" . | fromJson).picker.weights -}}
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
  - type: queue-scorer
  - type: kv-cache-utilization-scorer
  - type: prefix-cache-scorer
  - type: metrics-data-source
    parameters: {scheme: http, path: /metrics}
  - type: core-metrics-extractor
schedulingProfiles:
  - name: default
    plugins:
      - {pluginRef: queue-scorer, weight: {{ int $weights.queue }}}
      - {pluginRef: kv-cache-utilization-scorer, weight: {{ int $weights.kvCacheUtilization }}}
      - {pluginRef: prefix-cache-scorer, weight: {{ int $weights.prefixCache }}}
{{- end -}}

{{- /* Hosts under which a model is asked: the names of its Service, and the host of its own endpoint. */ -}}
{{- define "kaito-chat.routedHosts" -}}
{{- $service := include "kaito-chat.model" . -}}
{{- $hosts := list $service -}}
{{- range $end := list "" ".svc" ".svc.cluster.local" }}{{ $hosts = append $hosts (printf "%s.%s%s" $service $.Release.Namespace $end) }}{{ end -}}
{{- with default dict .Values.model.ingress }}{{ if .enabled }}{{ $hosts = append $hosts .host }}{{ end }}{{ end -}}
{{- toJson $hosts -}}
{{- end -}}

{{- /* Refuse a gateway that no model uses, or that the cluster cannot have. */ -}}
{{- define "kaito-chat.routingChecks" -}}
{{- if eq (include "kaito-chat.routing" . | fromJson).mode "gateway" -}}
{{- if not (include "kaito-chat.hasGateway" .) -}}
{{- fail "routing.mode gateway needs a model that is an InferenceSet, with a preset and the runtime vllm: set kaito.inferenceSets: always or model.kind: InferenceSet. A Workspace has one replica, and the metrics of other servers are unknown." -}}
{{- end -}}
{{- range list "inference.networking.k8s.io/v1/InferencePool" "gateway.networking.k8s.io/v1/Gateway" -}}
{{- if not ($.Capabilities.APIVersions.Has .) -}}
{{- fail (printf "routing.mode gateway needs %s, which this cluster does not serve. The chart of KAITO 0.12 installs the InferencePool, and AKS the Gateway API (az aks update --enable-gateway-api --enable-app-routing-istio). Set routing.mode: service; when rendering without a cluster, pass --api-versions %s." . .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
