{{- /* Labels of every object. */ -}}
{{- define "kaito-chat.labels" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- /* What tells this release's objects from another's. */ -}}
{{- define "kaito-chat.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* The pods of the application. */ -}}
{{- define "kaito-chat.chatSelector" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/component: chat
{{- end -}}

{{- /* The model's pods, which KAITO makes: its labels are all that there is to find them by. */ -}}
{{- define "kaito-chat.modelSelector" -}}
{{- if include "kaito-chat.several" . -}}
inferenceset.kaito.sh/created-by: {{ include "kaito-chat.model" . | quote }}
{{- else -}}
kaito.sh/workspace: {{ include "kaito-chat.model" . | quote }}
{{- end -}}
{{- end -}}
