{{- /* API groups to create monitors for; a cluster may have both. */ -}}
{{- define "kaito-chat.monitorGroups" -}}
{{- $groups := list -}}
{{- if .Values.monitoring.prometheusOperator -}}
{{- $groups = append $groups (dict "apiVersion" "monitoring.coreos.com/v1" "azure" false) -}}
{{- end -}}
{{- if .Values.monitoring.azureMonitor -}}
{{- $groups = append $groups (dict "apiVersion" "azmonitoring.coreos.com/v1" "azure" true) -}}
{{- end -}}
{{- toJson $groups -}}
{{- end -}}

{{- /* Labels by which Prometheus selects the monitors and rules. */ -}}
{{- define "kaito-chat.monitorLabels" -}}
{{- merge (include "kaito-chat.labels" . | fromYaml) (default dict .Values.monitoring.labels) | toYaml -}}
{{- end -}}

{{- /* The folder of the runbooks. Values of an earlier chart (helm upgrade --reuse-values) have no key for it. */ -}}
{{- define "kaito-chat.runbooks" -}}
{{- trimSuffix "/" (default (index .Chart.Annotations "kaito-chat/runbooks") .Values.monitoring.runbooksUrl) -}}
{{- end -}}

{{- /* Not empty if the release has the exporter. Values of an earlier chart (helm upgrade --reuse-values) have no key for it. */ -}}
{{- define "kaito-chat.hasGpuExporter" -}}
{{- $exporter := default dict .Values.monitoring.gpuExporter -}}
{{- if $exporter.enabled -}}
{{- if not $exporter.image -}}
{{- fail "monitoring.gpuExporter.image is missing, as in the values of an earlier chart: use helm upgrade --reset-then-reuse-values instead of --reuse-values." -}}
{{- end -}}
yes
{{- end -}}
{{- end -}}

{{- /* The DaemonSet of NVIDIA's exporter, with its ConfigMap, monitors and policy. */ -}}
{{- define "kaito-chat.gpuExporter" -}}
{{- printf "%s-gpu-exporter" (include "kaito-chat.fullname" .) -}}
{{- end -}}

{{- /* Labels of the exporter's pods. */ -}}
{{- define "kaito-chat.gpuExporterSelector" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/component: gpu-exporter
{{- end -}}

{{- /* The exporter's image; a digest takes precedence over a tag. */ -}}
{{- define "kaito-chat.gpuExporterImage" -}}
{{- $image := .Values.monitoring.gpuExporter.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag }}
{{- end -}}
{{- end -}}
