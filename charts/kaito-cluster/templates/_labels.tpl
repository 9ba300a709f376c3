{{- /* Labels of every object. */ -}}
{{- define "kaito-cluster.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- /* An image by its digest, or without one by its tag. */ -}}
{{- define "kaito-cluster.image" -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end -}}

{{- /* Where the pods may run that answer Let's Encrypt's question. */ -}}
{{- define "kaito-cluster.solverPod" -}}
{{- with .Values.tolerations -}}
podTemplate:
  spec:
    tolerations:
      {{- toYaml . | nindent 6 }}
{{- end -}}
{{- end -}}
