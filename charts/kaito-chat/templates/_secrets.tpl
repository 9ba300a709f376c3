{{- /* Folders of secrets in the pods by the name of their volume. The last one in alphabetical order takes precedence. */ -}}
{{- define "kaito-chat.secretFolders" -}}
{{- $folders := dict -}}
{{- if .Values.chat.existingSecret }}{{ $_ := set $folders "existing-secret" "/mnt/existing-secret" }}{{ end -}}
{{- if .Values.chat.keyVault.enabled }}{{ $_ := set $folders "key-vault" "/mnt/key-vault" }}{{ end -}}
{{- toJson $folders -}}
{{- end -}}
