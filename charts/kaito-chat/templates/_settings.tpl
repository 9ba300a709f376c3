{{- /*
Application settings by their variable names. Settings that the chart derives take precedence, so that a release cannot
contradict its own objects.
*/ -}}
{{- define "kaito-chat.settings" -}}
{{- $settings := dict "KAITO_CHAT_DRAIN_SECONDS" .Values.chat.drainSeconds -}}
{{- if .Values.ingress.host -}}
{{- $_ := set $settings "KAITO_CHAT_PUBLIC_URL" (include "kaito-chat.url" .) -}}
{{- end -}}
{{- if include "kaito-chat.listsModels" . -}}
{{- $_ := set $settings "KAITO_CHAT_MODELS" (include "kaito-chat.models" . | fromJsonArray) -}}
{{- else if .Values.model.enabled -}}
{{- $_ := set $settings "KAITO_CHAT_ENDPOINT_URL" (include "kaito-chat.modelUrl" .) -}}
{{- if include "kaito-chat.readsWorkspace" . -}}
{{- $_ := set $settings "KAITO_CHAT_WORKSPACE_NAME" (include "kaito-chat.model" .) -}}
{{- else -}}
{{- $_ := set $settings "KAITO_CHAT_INFERENCE_SET_NAME" (include "kaito-chat.model" .) -}}
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

{{- /* Not empty if the settings list models: several ones, or one with more than an address. */ -}}
{{- define "kaito-chat.listsModels" -}}
{{- $model := .Values.model -}}
{{- include "kaito-chat.resolve" . -}}
{{- $resolved := get .Values.model "resolved" -}}
{{- $profile := and $model.enabled (or $model.description $model.icon $model.starters $resolved.copies (default dict $model.schedule).wakes (and $resolved.set (include "kaito-chat.wakes" .))) -}}
{{- if or .Values.chat.models $resolved.models $profile -}}yes{{- end -}}
{{- end -}}

{{- /* Not empty if this model is a Workspace, which the application may read. */ -}}
{{- define "kaito-chat.readsWorkspace" -}}
{{- if and .Values.model.enabled (not (include "kaito-chat.several" .)) -}}yes{{- end -}}
{{- end -}}

{{- /* Names of all Workspaces that the application may read, also of standbys, as JSON. */ -}}
{{- define "kaito-chat.readWorkspaces" -}}
{{- include "kaito-chat.resolve" . -}}
{{- $names := list -}}
{{- range prepend (get .Values.model "resolved").others . -}}
{{- if include "kaito-chat.readsWorkspace" . }}{{ $names = append $names (include "kaito-chat.model" .) }}{{ end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{- /* Not empty if this model is an InferenceSet, which the application may read. */ -}}
{{- define "kaito-chat.readsInferenceSet" -}}
{{- if and .Values.model.enabled (include "kaito-chat.several" .) -}}yes{{- end -}}
{{- end -}}

{{- /* Not empty if users may wake a model. */ -}}
{{- define "kaito-chat.wakes" -}}
{{- if ne (toString (get (default dict .Values.chat.settings) "KAITO_CHAT_WAKE_ALLOWED" | default "nobody")) "nobody" -}}yes{{- end -}}
{{- end -}}

{{- /* Names of all InferenceSets that the application may read, also of standbys and of `chat.models`, as JSON. */ -}}
{{- define "kaito-chat.readInferenceSets" -}}
{{- include "kaito-chat.resolve" . -}}
{{- $names := list -}}
{{- range prepend (get .Values.model "resolved").others . -}}
{{- if include "kaito-chat.readsInferenceSet" . }}{{ $names = append $names (include "kaito-chat.model" .) }}{{ end -}}
{{- end -}}
{{- range .Values.chat.models }}{{ with .inferenceSetName }}{{ $names = append $names . }}{{ end }}{{ end -}}
{{- toJson (uniq $names) -}}
{{- end -}}

{{- /* Not empty if the application reads objects of KAITO from the API server. */ -}}
{{- define "kaito-chat.readsCluster" -}}
{{- if or (ne (include "kaito-chat.readWorkspaces" .) "[]") (ne (include "kaito-chat.readInferenceSets" .) "[]") -}}yes{{- end -}}
{{- end -}}

{{- /* Profile of one model in the application's format, as JSON. */ -}}
{{- define "kaito-chat.profile" -}}
{{- $model := .Values.model -}}
{{- $found := dict "name" (include "kaito-chat.modelTitle" .) "endpoint_url" (include "kaito-chat.modelUrl" .) -}}
{{- if include "kaito-chat.readsWorkspace" . -}}{{- $_ := set $found "workspace_name" (include "kaito-chat.model" .) -}}{{- end -}}
{{- range $key := list "description" "icon" "starters" -}}
{{- with get $model $key }}{{ $_ := set $found $key . }}{{ end -}}
{{- end -}}
{{- if include "kaito-chat.readsInferenceSet" . -}}{{- $_ := set $found "inference_set_name" (include "kaito-chat.model" .) -}}{{- end -}}
{{- if (default dict $model.schedule).wakes -}}
{{- $schedule := dict -}}
{{- range $key := list "wakes" "sleeps" "timeZone" "replicas" }}{{ with get $model.schedule $key }}{{ $_ := set $schedule (snakecase $key) . }}{{ end }}{{ end -}}
{{- $_ := set $found "schedule" $schedule -}}
{{- end -}}
{{- $urls := list -}}
{{- range (get $model "resolved").copies }}{{ $urls = append $urls (include "kaito-chat.modelUrl" .) }}{{ end -}}
{{- with $urls }}{{ $_ := set $found "replica_urls" . }}{{ end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* All models of the picker, the release's own first, in the application's format. */ -}}
{{- define "kaito-chat.models" -}}
{{- $models := list -}}
{{- include "kaito-chat.resolve" . -}}
{{- range prepend (get .Values.model "resolved").models . -}}
{{- if .Values.model.enabled }}{{ $models = append $models (include "kaito-chat.profile" . | fromJson) }}{{ end -}}
{{- end -}}
{{- range $index, $each := .Values.chat.models -}}
{{- $model := dict -}}
{{- range $key, $value := $each -}}
{{- if eq $key "apiKeySecret" -}}
{{- $_ := set $model "api_key_variable" (include "kaito-chat.apiKeyVariable" $index) -}}
{{- else if eq $key "schedule" -}}
{{- $schedule := dict -}}
{{- range $name, $given := $value }}{{ $_ := set $schedule (snakecase $name) $given }}{{ end -}}
{{- $_ := set $model $key $schedule -}}
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
