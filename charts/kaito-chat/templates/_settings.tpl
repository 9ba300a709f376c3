{{- /*
Application settings by their variable names. Settings that the chart derives take precedence, so that a release cannot
contradict its own objects.
*/ -}}
{{- define "kaito-chat.settings" -}}
{{- $settings := dict "KAITO_CHAT_DRAIN_SECONDS" .Values.chat.drainSeconds -}}
{{- if .Values.ingress.host -}}
{{- $_ := set $settings "KAITO_CHAT_PUBLIC_URL" (include "kaito-chat.url" .) -}}
{{- end -}}
{{- if .Values.chat.models -}}
{{- $_ := set $settings "KAITO_CHAT_MODELS" (include "kaito-chat.models" . | fromJsonArray) -}}
{{- else if .Values.model.enabled -}}
{{- $_ := set $settings "KAITO_CHAT_ENDPOINT_URL" (include "kaito-chat.modelUrl" .) -}}
{{- if include "kaito-chat.readsWorkspace" . -}}
{{- $_ := set $settings "KAITO_CHAT_WORKSPACE_NAME" (include "kaito-chat.model" .) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := merge $settings (default dict .Values.chat.settings) }}
{{ $name }}: {{ include "kaito-chat.text" $value | quote }}
{{- end }}
{{- end -}}

{{- /* A value as the text of an environment variable: lists and maps as JSON, whole numbers without an exponent. */ -}}
{{- define "kaito-chat.text" -}}
{{- if or (kindIs "slice" .) (kindIs "map" .) -}}{{ toJson . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}
{{- else -}}{{ . }}
{{- end -}}
{{- end -}}

{{- /* URL of the model inside the cluster. */ -}}
{{- define "kaito-chat.modelUrl" -}}
http://{{ include "kaito-chat.model" . }}
{{- end -}}

{{- /* Path that the application is served under, without a trailing slash; empty for the root. */ -}}
{{- define "kaito-chat.rootPath" -}}
{{ get (default dict .Values.chat.settings) "KAITO_CHAT_ROOT_PATH" }}
{{- end -}}

{{- /* The same as the path of an Ingress, an HTTPRoute or a cookie. */ -}}
{{- define "kaito-chat.path" -}}
{{ default "/" (include "kaito-chat.rootPath" .) }}
{{- end -}}

{{- /* Public URL of the chat. The application refuses other origins. */ -}}
{{- define "kaito-chat.url" -}}
{{ ternary "https" "http" .Values.ingress.tls.enabled }}://{{ .Values.ingress.host }}{{ include "kaito-chat.rootPath" . }}
{{- end -}}

{{- /* Volume with additional trusted certificates; empty if there are none. */ -}}
{{- define "kaito-chat.caBundle" -}}
{{- $bundle := default dict .Values.chat.caBundle -}}
{{- $items := list (dict "key" (default "ca.crt" $bundle.key) "path" "ca.pem") -}}
{{- if $bundle.configMap -}}
{{- toYaml (dict "configMap" (dict "name" $bundle.configMap "items" $items)) -}}
{{- else if $bundle.secret -}}
{{- toYaml (dict "secret" (dict "secretName" $bundle.secret "items" $items)) -}}
{{- end -}}
{{- end -}}

{{- /* Not empty if the application may read its Workspace. The names of an InferenceSet's Workspaces are not known in advance. */ -}}
{{- define "kaito-chat.readsWorkspace" -}}
{{- if and .Values.model.enabled (not (include "kaito-chat.several" .)) -}}yes{{- end -}}
{{- end -}}

{{- /* All models of the picker, the release's own first, in the application's format. */ -}}
{{- define "kaito-chat.models" -}}
{{- $models := list -}}
{{- if .Values.model.enabled -}}
{{- $own := dict "name" (default (include "kaito-chat.modelSlug" .) .Values.model.displayName) "endpoint_url" (include "kaito-chat.modelUrl" .) -}}
{{- if include "kaito-chat.readsWorkspace" . -}}{{- $_ := set $own "workspace_name" (include "kaito-chat.model" .) -}}{{- end -}}
{{- $models = append $models $own -}}
{{- end -}}
{{- range $index, $each := .Values.chat.models -}}
{{- $model := dict -}}
{{- range $key, $value := $each -}}
{{- if eq $key "apiKeySecret" -}}
{{- $_ := set $model "api_key_variable" (include "kaito-chat.apiKeyVariable" $index) -}}
{{- else if ne $key "podPort" -}}
{{- $_ := set $model (snakecase $key) $value -}}
{{- end -}}
{{- end -}}
{{- $models = append $models $model -}}
{{- end -}}
{{- toJson $models -}}
{{- end -}}

{{- /* Environment variable with the API key of an additional model. */ -}}
{{- define "kaito-chat.apiKeyVariable" -}}
MODEL_API_KEY_{{ . }}
{{- end -}}
