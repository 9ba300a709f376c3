{{- /* Checks that the schema cannot express. Included by the Deployment, which every release has. */ -}}
{{- define "kaito-chat.checks" -}}
{{- $settings := default dict .Values.chat.settings -}}
{{- $vault := ternary (default dict .Values.chat.keyVault.secrets) dict .Values.chat.keyVault.enabled -}}
{{- include "kaito-chat.resolve" . -}}
{{- if and (not .Values.model.enabled) (not (get .Values.model "resolved").models) (not .Values.chat.models) -}}
{{- fail "model.enabled is false, and models and chat.models are empty: the chat needs a model. Add one to models, or an endpoint to chat.models." -}}
{{- end -}}
{{- $signIn := toString (default "none" (get $settings "KAITO_CHAT_SIGN_IN")) -}}
{{- if and (ne $signIn "none") (not .Values.chat.existingSecret) (not (hasKey $vault "KAITO_CHAT_AUTH_SECRET")) -}}
{{- fail "chat.settings.KAITO_CHAT_SIGN_IN needs KAITO_CHAT_AUTH_SECRET, a secret: put it into chat.existingSecret or chat.keyVault.secrets." -}}
{{- end -}}
{{- if eq $signIn "entra" -}}
{{- range list "KAITO_CHAT_ENTRA_TENANT_ID" "KAITO_CHAT_ENTRA_CLIENT_ID" -}}
{{- if not (get $settings .) }}{{ fail (printf "chat.settings.KAITO_CHAT_SIGN_IN entra needs chat.settings.%s." .) }}{{ end -}}
{{- end -}}
{{- if not (or .Values.ingress.host (get $settings "KAITO_CHAT_PUBLIC_URL")) -}}
{{- fail "chat.settings.KAITO_CHAT_SIGN_IN entra needs ingress.host, or chat.settings.KAITO_CHAT_PUBLIC_URL, as the redirect address of the sign-in." -}}
{{- end -}}
{{- end -}}
{{- if and (eq $signIn "none") (or (hasKey $settings "KAITO_CHAT_DATABASE_URL") (hasKey $vault "KAITO_CHAT_DATABASE_URL")) -}}
{{- fail "KAITO_CHAT_DATABASE_URL needs chat.settings.KAITO_CHAT_SIGN_IN: history belongs to signed-in users." -}}
{{- end -}}
{{- if and (get $settings "KAITO_CHAT_DATABASE_ENTRA_ENABLED") (not .Values.chat.workloadIdentity.enabled) -}}
{{- fail "chat.settings.KAITO_CHAT_DATABASE_ENTRA_ENABLED needs chat.workloadIdentity.enabled: it signs in to PostgreSQL with that identity." -}}
{{- end -}}
{{- $role := default dict .Values.chat.databaseRole -}}
{{- if and $role.enabled (not (hasPrefix "postgresql://" (toString (get $settings "KAITO_CHAT_DATABASE_URL")))) -}}
{{- fail "chat.databaseRole.enabled needs chat.settings.KAITO_CHAT_DATABASE_URL, a postgresql:// address: its user is the role." -}}
{{- end -}}
{{- if and (not .Values.chat.serviceAccount.create) (not .Values.chat.serviceAccount.name) -}}
{{- fail "chat.serviceAccount.create is false: name the ServiceAccount that exists in chat.serviceAccount.name." -}}
{{- end -}}
{{- if and (.Values.chat.caBundle).configMap (.Values.chat.caBundle).secret -}}
{{- fail "chat.caBundle.configMap and chat.caBundle.secret are both set: set only one of them." -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.chat.models -}}
{{- if and .podPort (not (include "kaito-chat.place" (dict "url" .endpointUrl "root" $) | fromJson).namespace) -}}
{{- fail (printf "chat.models: %q has podPort, but %s is no Service of this cluster, which is written NAME.NAMESPACE.svc." .name .endpointUrl) -}}
{{- end -}}
{{- if and (eq (toString .backend) "azure_openai") (not .model) -}}
{{- fail (printf "chat.models: %q needs model, the name of the deployment: it is Azure OpenAI." .name) -}}
{{- end -}}
{{- if has .name $names }}{{ fail (printf "chat.models has two models named %q." .name) }}{{ end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- if and .Values.chat.keyVault.enabled (not .Values.chat.workloadIdentity.enabled) -}}
{{- fail "chat.keyVault.enabled needs chat.workloadIdentity.enabled: the key vault is read with the pod's own identity." -}}
{{- end -}}
{{- if and .Values.chat.autoscaling.enabled (gt (int .Values.chat.autoscaling.minReplicas) (int .Values.chat.autoscaling.maxReplicas)) -}}
{{- fail "chat.autoscaling.minReplicas is above chat.autoscaling.maxReplicas." -}}
{{- end -}}
{{- range list "KAITO_CHAT_BACKEND" "KAITO_CHAT_MODEL" "KAITO_CHAT_INDEX_NAME" "KAITO_CHAT_MAX_MODEL_LEN_TOKENS" -}}
{{- if and (include "kaito-chat.listsModels" $) (hasKey $settings .) -}}
{{- fail (printf "chat.settings.%s applies to a single model: with several ones, set it in chat.models." .) -}}
{{- end -}}
{{- end -}}
{{- include "kaito-chat.modelsDiffer" . -}}
{{- include "kaito-chat.keptModels" . -}}
{{- include "kaito-chat.renameCheck" . -}}
{{- range prepend (get .Values.model "resolved").models . }}{{ include "kaito-chat.modelChecks" . }}{{ end -}}
{{- include "kaito-chat.ingressChecks" . -}}
{{- include "kaito-chat.routingChecks" . -}}
{{- end -}}
