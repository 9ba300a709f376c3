{{- /* Folders of secrets in the pods by the name of their volume. The last one in alphabetical order takes precedence. */ -}}
{{- define "kaito-chat.secretFolders" -}}
{{- $folders := dict -}}
{{- if .Values.chat.existingSecret }}{{ $_ := set $folders "existing-secret" "/mnt/existing-secret" }}{{ end -}}
{{- if .Values.chat.keyVault.enabled }}{{ $_ := set $folders "key-vault" "/mnt/key-vault" }}{{ end -}}
{{- toJson $folders -}}
{{- end -}}

{{- /* Names of the Key Vault secrets with Hugging Face tokens of models, each once, as JSON. */ -}}
{{- define "kaito-chat.keyVaultTokens" -}}
{{- include "kaito-chat.resolve" . -}}
{{- $names := list -}}
{{- range prepend (get .Values.model "resolved").others . -}}
{{- if .Values.model.enabled }}{{ with .Values.model.keyVaultSecret }}{{ $names = append $names . }}{{ end }}{{ end -}}
{{- end -}}
{{- uniq $names | sortAlpha | toJson -}}
{{- end -}}
