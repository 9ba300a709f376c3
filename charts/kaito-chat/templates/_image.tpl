{{- /* The application's image; a digest takes precedence over a tag. */ -}}
{{- define "kaito-chat.image" -}}
{{- $image := .Values.chat.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}
