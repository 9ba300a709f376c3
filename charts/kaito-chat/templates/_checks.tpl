{{- /* What a schema cannot say. Included by the Deployment, which every release has. */ -}}
{{- define "kaito-chat.checks" -}}
{{- $settings := .Values.chat.settings -}}
{{- $secrets := or .Values.chat.existingSecret .Values.chat.keyVault.enabled -}}
{{- if and (not .Values.model.enabled) (not .Values.chat.models) -}}
{{- fail "model.enabled is false and chat.models is empty: there is no model to talk to. Add an endpoint to chat.models." -}}
{{- end -}}
{{- if and (has (toString (get $settings "KAITO_CHAT_SIGN_IN")) (list "entra" "password")) (not $secrets) -}}
{{- fail "chat.settings.KAITO_CHAT_SIGN_IN needs KAITO_CHAT_AUTH_SECRET, a secret: set chat.existingSecret, or chat.keyVault.enabled with chat.keyVault.secrets." -}}
{{- end -}}
{{- if and .Values.chat.keyVault.enabled (not .Values.chat.workloadIdentity.enabled) -}}
{{- fail "chat.keyVault.enabled needs chat.workloadIdentity.enabled: the vault is read with the pod's own identity." -}}
{{- end -}}
{{- if and .Values.model.enabled .Values.model.autoscaling.enabled (lt (int .Values.model.autoscaling.maxReplicas) 2) -}}
{{- fail "model.autoscaling.maxReplicas must be 2 or more." -}}
{{- end -}}
{{- if and .Values.model.autoscaling.enabled (gt (int .Values.model.autoscaling.minReplicas) (int .Values.model.autoscaling.maxReplicas)) -}}
{{- fail "model.autoscaling.minReplicas is above model.autoscaling.maxReplicas." -}}
{{- end -}}
{{- if and .Values.chat.autoscaling.enabled (gt (int .Values.chat.autoscaling.minReplicas) (int .Values.chat.autoscaling.maxReplicas)) -}}
{{- fail "chat.autoscaling.minReplicas is above chat.autoscaling.maxReplicas." -}}
{{- end -}}
{{- range list "KAITO_CHAT_BACKEND" "KAITO_CHAT_MODEL" "KAITO_CHAT_MAX_MODEL_LEN_TOKENS" -}}
{{- if and $.Values.chat.models (hasKey $settings .) -}}
{{- fail (printf "chat.settings.%s is about a single model: with chat.models, say it there." .) -}}
{{- end -}}
{{- end -}}
{{- if .Values.model.enabled -}}
{{- range .Values.chat.models -}}
{{- if eq .name (default (include "kaito-chat.modelSlug" $) $.Values.model.displayName) -}}
{{- fail (printf "chat.models has a model named %q, which is the name of this release's own: rename it, or set model.displayName." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "kaito-chat.ingressChecks" . -}}
{{- end -}}
