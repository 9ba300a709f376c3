{{- /* Labels of every object. */ -}}
{{- define "kaito-chat.labels" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- /* Labels that select this release's objects. */ -}}
{{- define "kaito-chat.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* Labels of the application's pods. */ -}}
{{- define "kaito-chat.chatSelector" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/component: chat
{{- end -}}

{{- /* Labels of the model's pods. KAITO creates the pods, so only its own labels select them. */ -}}
{{- define "kaito-chat.modelSelector" -}}
{{- if include "kaito-chat.several" . -}}
inferenceset.kaito.sh/created-by: {{ include "kaito-chat.model" . | quote }}
{{- else -}}
kaito.sh/workspace: {{ include "kaito-chat.model" . | quote }}
{{- end -}}
{{- end -}}
