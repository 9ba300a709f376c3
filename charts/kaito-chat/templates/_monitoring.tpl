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
