{{- /* Labels of every object. */ -}}
{{- define "kaito-cluster.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- /* Image reference; a digest takes precedence over a tag. */ -}}
{{- define "kaito-cluster.image" -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end -}}

{{- /* Pod template of the HTTP-01 solvers: where they may run. */ -}}
{{- define "kaito-cluster.solverPod" -}}
{{- with .Values.tolerations -}}
podTemplate:
  spec:
    tolerations:
      {{- toYaml . | nindent 6 }}
{{- end -}}
{{- end -}}
