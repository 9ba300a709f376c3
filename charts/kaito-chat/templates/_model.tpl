{{- /* Not empty if one Workspace is not enough: several replicas, or autoscaling. */ -}}
{{- define "kaito-chat.several" -}}
{{- if or (gt (int .Values.model.replicas) 1) .Values.model.autoscaling.enabled -}}yes{{- end -}}
{{- end -}}

{{- /*
Labels by which the Workspace selects its GPU nodes. KAITO uses existing nodes with these labels, so they differ between
releases, and between the old and the new model of a release.
*/ -}}
{{- define "kaito-chat.nodeLabels" -}}
{{- $model := .Values.model -}}
{{- $what := list .Release.Namespace (include "kaito-chat.fullname" .) $model.instanceType $model.nodeCount $model.template (include "kaito-chat.preset" .) -}}
{{- $hash := toJson $what | sha256sum | trunc 6 -}}
{{- $apps := printf "%s-%s" (include "kaito-chat.modelSlug" . | trunc 40 | trimSuffix "-") $hash -}}
{{- default (dict "apps" $apps) .Values.model.nodeLabels | toYaml -}}
{{- end -}}

{{- /* The `resource` of a Workspace. */ -}}
{{- define "kaito-chat.resource" -}}
{{- with .Values.model.instanceType -}}
instanceType: {{ . | quote }}
{{ end -}}
{{- if not (include "kaito-chat.several" .) -}}
count: {{ .Values.model.nodeCount }}
{{ end -}}
labelSelector:
  matchLabels:
    {{- include "kaito-chat.nodeLabels" . | nindent 4 }}
{{- end -}}

{{- /* One of KAITO's presets, or any model of Hugging Face from KAITO 0.9 on. */ -}}
{{- define "kaito-chat.preset" -}}
name: {{ .Values.model.preset | quote }}
{{- $options := dict -}}
{{- with .Values.model.image }}{{ $_ := set $options "image" . }}{{ end -}}
{{- with .Values.model.imagePullSecrets }}{{ $_ := set $options "imagePullSecrets" . }}{{ end -}}
{{- with .Values.model.accessSecret }}{{ $_ := set $options "modelAccessSecret" . }}{{ end -}}
{{- with $options }}
presetOptions:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Not empty if the values set parameters of the model server. */ -}}
{{- define "kaito-chat.configured" -}}
{{- if or .Values.model.vllm (not (kindIs "invalid" .Values.model.maxProbeSteps)) -}}yes{{- end -}}
{{- end -}}

{{- /* Parameters of the model server in KAITO's format. */ -}}
{{- define "kaito-chat.parameters" -}}
{{- $parameters := dict -}}
{{- if not (kindIs "invalid" .Values.model.maxProbeSteps) }}{{ $_ := set $parameters "max_probe_steps" (int64 .Values.model.maxProbeSteps) }}{{ end -}}
{{- with .Values.model.vllm }}{{ $_ := set $parameters "vllm" . }}{{ end -}}
{{- toYaml $parameters -}}
{{- end -}}

{{- /* The `inference` of a Workspace or an InferenceSet. */ -}}
{{- define "kaito-chat.inference" -}}
{{- if .Values.model.template -}}
template:
  {{- toYaml .Values.model.template | nindent 2 }}
{{- else -}}
preset:
  {{- include "kaito-chat.preset" . | nindent 2 }}
{{- end }}
{{- if include "kaito-chat.configured" . }}
config: {{ include "kaito-chat.inferenceConfig" . | quote }}
{{- end }}
{{- with .Values.model.adapters }}
adapters:
  {{- range . }}
  - source:
      name: {{ .name | quote }}
      image: {{ .image | quote }}
      {{- with .imagePullSecrets }}
      imagePullSecrets: {{ toJson . }}
      {{- end }}
    {{- with .strength }}
    strength: {{ . | quote }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* KAITO's annotations of a Workspace or an InferenceSet. */ -}}
{{- define "kaito-chat.modelAnnotations" -}}
{{- $annotations := dict -}}
{{- with .Values.model.runtime }}{{ $_ := set $annotations "kaito.sh/runtime" . }}{{ end -}}
{{- if .Values.model.keep }}{{ $_ := set $annotations "helm.sh/resource-policy" "keep" }}{{ end -}}
{{- if and .Values.model.autoscaling.enabled (include "kaito-chat.several" .) -}}
{{- $_ := set $annotations "scaledobject.kaito.sh/auto-provision" "true" -}}
{{- $_ := set $annotations "scaledobject.kaito.sh/min-replicas" (toString .Values.model.autoscaling.minReplicas) -}}
{{- $_ := set $annotations "scaledobject.kaito.sh/max-replicas" (toString .Values.model.autoscaling.maxReplicas) -}}
{{- $metrics := list -}}
{{- range .Values.model.autoscaling.metrics -}}
{{- $metrics = append $metrics (dict "name" .name "type" .type "upthreshold" .upThreshold "downthreshold" .downThreshold) -}}
{{- end -}}
{{- $_ := set $annotations "scaledobject.kaito.sh/metrics" (toYaml $metrics) -}}
{{- end -}}
{{- merge $annotations (default dict .Values.model.annotations) | toJson -}}
{{- end -}}
