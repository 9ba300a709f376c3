{{- /*
Names of the chart's objects, one definition each. Names are DNS labels of at most 63 characters, including the suffixes
that Kubernetes and KAITO append. The common prefix therefore has at most 35; a longer one becomes 28 and a hash.
*/ -}}

{{- /*
Common prefix of all names. A Service's name must begin with a letter and contain no dot; a release's name need not. Two
releases never share a name that was derived so: the rarer of the two, with a dot or with the prefix `kc-`, has a hash.
*/ -}}
{{- define "kaito-chat.fullname" -}}
{{- $plain := include "kaito-chat.legalName" . -}}
{{- $release := .Release.Name -}}
{{- if and (not .Values.fullnameOverride) (or (contains "." $release) (regexMatch "^kc-[^a-z]" $release)) -}}
{{- include "kaito-chat.shortName" (dict "name" $plain "hashed" $release) -}}
{{- else -}}
{{- include "kaito-chat.unhashedName" . -}}
{{- end -}}
{{- end -}}

{{- /* The release's name as the beginning of a Service's name. */ -}}
{{- define "kaito-chat.legalName" -}}
{{- $name := default .Release.Name .Values.fullnameOverride | replace "." "-" -}}
{{- if not (regexMatch "^[a-z]" $name) -}}{{- $name = printf "kc-%s" $name -}}{{- end -}}
{{- $name -}}
{{- end -}}

{{- /* The same with at most 35 characters. */ -}}
{{- define "kaito-chat.unhashedName" -}}
{{- $name := include "kaito-chat.legalName" . -}}
{{- if gt (len $name) 35 -}}
{{- $name = include "kaito-chat.shortName" (dict "name" $name "hashed" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- /* The beginning of a name and a hash of another. */ -}}
{{- define "kaito-chat.shortName" -}}
{{- printf "%s-%s" (trunc 28 .name | trimSuffix "-") (sha256sum .hashed | trunc 6) -}}
{{- end -}}

{{- /* Refuse an upgrade that would rename all objects of a release whose name now has a hash, and delete its model. */ -}}
{{- define "kaito-chat.renameCheck" -}}
{{- $former := include "kaito-chat.unhashedName" . -}}
{{- if and .Release.IsUpgrade (ne $former (include "kaito-chat.fullname" .)) -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace $former -}}
{{- if eq (dig "metadata" "annotations" "meta.helm.sh/release-name" "" (default dict $live)) .Release.Name -}}
{{- fail (printf "The objects of release %s are named %s, as those of a release %s would be; this chart would rename them and delete the model. Set fullnameOverride: %s to keep the names." .Release.Name $former $former $former) -}}
{{- end -}}
{{- end -}}
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
Name of the Workspace or InferenceSet, as `_identity.tpl` describes. At most 46 characters: an InferenceSet's Workspaces
have 6 more, and their Services 9 more. Another hash of the same values deletes the models of deployed releases. Takes
root, set and generation.
*/ -}}
{{- define "kaito-chat.modelName" -}}
{{- $model := .root.Values.model -}}
{{- $fixed := dict "resource" (include "kaito-chat.resource" . | fromYaml) "several" (ternary "yes" "" .set) -}}
{{- if $model.template -}}
{{- $_ := set $fixed "template" $model.template -}}
{{- else -}}
{{- $_ := set $fixed "preset" (include "kaito-chat.preset" .root | fromYaml) -}}
{{- end -}}
{{- with .generation }}{{ $_ := set $fixed "generation" . }}{{ end -}}
{{- range $key, $value := include "kaito-chat.modelKey" .root | fromJson }}{{ $_ := set $fixed $key $value }}{{ end -}}
{{- $hash := toJson $fixed | sha256sum | trunc 6 -}}
{{- $begin := include "kaito-chat.fullname" .root -}}
{{- $slug := include "kaito-chat.modelSlug" .root | lower | replace "." "-" | replace "_" "-" -}}
{{- printf "%s-%s-%s" $begin ($slug | trunc (int (sub 38 (len $begin))) | trimSuffix "-") $hash -}}
{{- end -}}

{{- /* Name of a model in the picker; of a custom template by default its key in `models`. */ -}}
{{- define "kaito-chat.modelTitle" -}}
{{- $name := ternary (get .Values.model "name") "" (not (empty .Values.model.template)) -}}
{{- coalesce .Values.model.displayName $name (include "kaito-chat.modelSlug" .) -}}
{{- end -}}

{{- /* Secret with the Hugging Face token that a Key Vault secret contains; models share it. Takes root and secret. */ -}}
{{- define "kaito-chat.tokenSecret" -}}
{{- printf "%s-token-%s" (include "kaito-chat.fullname" .root) (sha256sum .secret | trunc 8) -}}
{{- end -}}

{{- /* SecretProviderClass of the tokens. */ -}}
{{- define "kaito-chat.modelTokens" -}}
{{- printf "%s-model-tokens" (include "kaito-chat.fullname" .) -}}
{{- end -}}

{{- /* The name that these values have in this cluster. */ -}}
{{- define "kaito-chat.model" -}}
{{- include "kaito-chat.resolve" . -}}
{{- $resolved := get .Values.model "resolved" -}}
{{- include "kaito-chat.modelName" (dict "root" . "set" $resolved.set "generation" $resolved.generation) -}}
{{- end -}}

{{- /* ConfigMap with parameters of the model server. The name contains a hash: KAITO notices a changed name only. */ -}}
{{- define "kaito-chat.inferenceConfig" -}}
{{- printf "%s-%s" (include "kaito-chat.model" .) (include "kaito-chat.parametersHash" .) -}}
{{- end -}}
