{{- /* The namespace of what forwards people's requests; empty for any namespace. */ -}}
{{- define "kaito-chat.controllerNamespace" -}}
{{- if .Values.networkPolicy.ingressControllerNamespace -}}
{{ .Values.networkPolicy.ingressControllerNamespace }}
{{- else if eq .Values.ingress.mode "webapprouting" -}}
app-routing-system
{{- else if eq .Values.ingress.mode "gateway" -}}
{{- /* Istio runs a Gateway's proxy in the Gateway's own namespace. */ -}}
{{ default .Release.Namespace .Values.ingress.gateway.namespace }}
{{- end -}}
{{- end -}}

{{- /* Not empty if PostgreSQL may be asked: its address is in a setting, or in a Secret that nobody here can read. */ -}}
{{- define "kaito-chat.hasHistory" -}}
{{- if or (hasPrefix "postgresql" (toString (get .Values.chat.settings "KAITO_CHAT_DATABASE_URL"))) .Values.networkPolicy.postgresqlCidr (hasKey .Values.chat.keyVault.secrets "KAITO_CHAT_DATABASE_URL") .Values.chat.existingSecret -}}yes{{- end -}}
{{- end -}}

{{- /* The pod of helm test. */ -}}
{{- define "kaito-chat.testSelector" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/component: test
{{- end -}}
