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
{{- if or (hasPrefix "postgresql" (toString (get (default dict .Values.chat.settings) "KAITO_CHAT_DATABASE_URL"))) .Values.networkPolicy.postgresqlCidr (hasKey (default dict .Values.chat.keyVault.secrets) "KAITO_CHAT_DATABASE_URL") .Values.chat.existingSecret -}}yes{{- end -}}
{{- end -}}

{{- /* Addresses that the application asks beside its own model, by who is there: further models, and the OTLP collector. */ -}}
{{- define "kaito-chat.endpoints" -}}
{{- $found := dict -}}
{{- range $index, $model := .Values.chat.models }}{{ $_ := set $found (printf "model %d" (add1 $index)) $model.endpointUrl }}{{ end -}}
{{- with get (default dict .Values.chat.settings) "OTEL_EXPORTER_OTLP_ENDPOINT" }}{{ $_ := set $found "OTLP collector" . }}{{ end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* Where an address leads: a namespace for a Service of this cluster, a port for everything else. */ -}}
{{- define "kaito-chat.place" -}}
{{- $url := urlParse .url -}}
{{- $host := splitList ":" $url.host | first -}}
{{- $port := regexFind "[0-9]+$" (trimPrefix $host $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- $labels := splitList "." $host -}}
{{- if and (eq (len $labels) 1) (ne $host "") -}}
{{- toJson (dict "namespace" .root.Release.Namespace) -}}
{{- else if regexMatch "^[^.]+[.][^.]+[.]svc([.]cluster[.]local)?$" $host -}}
{{- toJson (dict "namespace" (index $labels 1)) -}}
{{- else -}}
{{- toJson (dict "port" $port) -}}
{{- end -}}
{{- end -}}

{{- /* The pod of helm test. */ -}}
{{- define "kaito-chat.testSelector" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/component: test
{{- end -}}
