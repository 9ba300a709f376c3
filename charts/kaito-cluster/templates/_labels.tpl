{{- /* Labels of every object. */ -}}
{{- define "kaito-cluster.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- /* What waits for KAITO; a Job cannot be changed, so another image is another Job. */ -}}
{{- define "kaito-cluster.await" -}}
{{- printf "await-kaito-%s" (toJson .Values.awaitKaito | sha256sum | trunc 6) -}}
{{- end -}}
