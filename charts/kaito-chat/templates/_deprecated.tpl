{{- /*
A line for each former value that is set, for the notes of a release. A release with --reuse-values passes former values on, so
they keep their meaning; docs/reference/deprecations.md lists them, and says until when.
*/ -}}
{{- define "kaito-chat.deprecated" -}}
{{- $root := . -}}
{{- range list (dict "old" "networkPolicy.otlpNamespace" "new" "networkPolicy.collectorPodPort") -}}
{{- $value := $root.Values -}}
{{- range splitList "." .old -}}
{{- $value = get (default dict $value) . -}}
{{- end -}}
{{- if $value }}
{{ .old }} is deprecated: set {{ .new }} instead.
{{- end -}}
{{- end -}}
{{- end -}}
