{{- /*
Names of the chart's objects, one definition each. Names are DNS labels of at most 63 characters, including the suffixes
that Kubernetes and KAITO append. The common prefix therefore has at most 35; a longer one becomes 28 and a hash.
*/ -}}

{{- /* Common prefix of all names. A Service's name must begin with a letter; a release's name need not. */ -}}
{{- define "kaito-chat.fullname" -}}
{{- $name := default .Release.Name .Values.fullnameOverride | replace "." "-" -}}
{{- if not (regexMatch "^[a-z]" $name) -}}{{- $name = printf "kc-%s" $name -}}{{- end -}}
{{- if gt (len $name) 35 -}}
{{- $name = printf "%s-%s" (trunc 28 $name | trimSuffix "-") (sha256sum $name | trunc 6) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- /* Deployment, Service, Ingress and the rest of the application. */ -}}
{{- define "kaito-chat.chat" -}}
{{- include "kaito-chat.fullname" . -}}
{{- end -}}

{{- /* ServiceAccount, created or existing. */ -}}
{{- define "kaito-chat.serviceAccount" -}}
{{- default (include "kaito-chat.chat" .) .Values.chat.serviceAccount.name -}}
{{- end -}}

{{- /* The Secret that Key Vault's secrets are copied to, and its SecretProviderClass. */ -}}
{{- define "kaito-chat.keyVault" -}}
{{- printf "%s-key-vault" (include "kaito-chat.chat" .) -}}
{{- end -}}

{{- /* Job that creates the chat's role in PostgreSQL, and its ServiceAccount. */ -}}
{{- define "kaito-chat.databaseRole" -}}
{{- printf "%s-database-role" (include "kaito-chat.chat" .) -}}
{{- end -}}

{{- /* Display name of the model: the preset's last part, or `model` for a custom template. */ -}}
{{- define "kaito-chat.modelSlug" -}}
{{- ternary "model" (.Values.model.preset | splitList "/" | last) (not (empty .Values.model.template)) -}}
{{- end -}}

{{- /*
Name of the Workspace or InferenceSet. KAITO refuses changes of instance type, selector, node count and preset, and a
changed template does not reach its pods, so the name ends with a hash of them: another model is another Workspace. At
most 46 characters: an InferenceSet's Workspaces have 6 more, and their Services 9 more.
*/ -}}
{{- define "kaito-chat.model" -}}
{{- $model := .Values.model -}}
{{- $fixed := dict "resource" (include "kaito-chat.resource" . | fromYaml) "several" (include "kaito-chat.several" .) -}}
{{- if $model.template -}}
{{- $_ := set $fixed "template" $model.template -}}
{{- else -}}
{{- $_ := set $fixed "preset" (include "kaito-chat.preset" . | fromYaml) -}}
{{- end -}}
{{- $hash := toJson $fixed | sha256sum | trunc 6 -}}
{{- $begin := include "kaito-chat.fullname" . -}}
{{- $slug := include "kaito-chat.modelSlug" . | lower | replace "." "-" | replace "_" "-" -}}
{{- printf "%s-%s-%s" $begin ($slug | trunc (int (sub 38 (len $begin))) | trimSuffix "-") $hash -}}
{{- end -}}

{{- /* ConfigMap with parameters of the model server. The name contains a hash: KAITO notices a changed name only. */ -}}
{{- define "kaito-chat.inferenceConfig" -}}
{{- printf "%s-%s" (include "kaito-chat.model" .) (include "kaito-chat.parameters" . | sha256sum | trunc 6) -}}
{{- end -}}
