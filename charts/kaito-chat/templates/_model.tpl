{{- /* Not empty if the model is an InferenceSet: several replicas or autoscaling, or by model.kind. */ -}}
{{- define "kaito-chat.several" -}}
{{- include "kaito-chat.resolve" . -}}
{{- if (get .Values.model "resolved").set -}}yes{{- end -}}
{{- end -}}

{{- /*
Labels by which the Workspace selects its GPU nodes. KAITO uses existing nodes with these labels, so they differ between
releases, and between the old and the new model of a release. Takes root and generation.
*/ -}}
{{- define "kaito-chat.nodeLabels" -}}
{{- $model := .root.Values.model -}}
{{- $what := list .root.Release.Namespace (include "kaito-chat.fullname" .root) $model.instanceType $model.nodeCount $model.template (include "kaito-chat.preset" .root) -}}
{{- with .generation }}{{ $what = append $what . }}{{ end -}}
{{- with include "kaito-chat.modelKey" .root | fromJson }}{{ $what = append $what . }}{{ end -}}
{{- $hash := toJson $what | sha256sum | trunc 6 -}}
{{- $apps := printf "%s-%s" (include "kaito-chat.modelSlug" .root | trunc 40 | trimSuffix "-") $hash -}}
{{- default (dict "apps" $apps) $model.nodeLabels | toYaml -}}
{{- end -}}

{{- /* The `resource` of a Workspace. Takes root, set and generation. */ -}}
{{- define "kaito-chat.resource" -}}
{{- with .root.Values.model.instanceType -}}
instanceType: {{ . | quote }}
{{ end -}}
{{- if not .set -}}
count: {{ .root.Values.model.nodeCount }}
{{ end -}}
labelSelector:
  matchLabels:
    {{- include "kaito-chat.nodeLabels" . | nindent 4 }}
{{- with .root.Values.model.preferredNodes }}
preferredNodes: {{ toJson . }}
{{- end }}
{{- with .root.Values.model.migProfile }}
partition: {mode: mig, profile: {{ . | quote }}}
{{- end }}
{{- end -}}

{{- /* One of KAITO's presets, or any model of Hugging Face from KAITO 0.9 on. */ -}}
{{- define "kaito-chat.preset" -}}
name: {{ .Values.model.preset | quote }}
{{- $options := dict -}}
{{- with .Values.model.image }}{{ $_ := set $options "image" . }}{{ end -}}
{{- with .Values.model.imagePullSecrets }}{{ $_ := set $options "imagePullSecrets" . }}{{ end -}}
{{- with .Values.model.accessSecret }}{{ $_ := set $options "modelAccessSecret" . }}{{ end -}}
{{- with .Values.model.keyVaultSecret }}{{ $_ := set $options "modelAccessSecret" (include "kaito-chat.tokenSecret" (dict "root" $ "secret" .)) }}{{ end -}}
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

{{- /* Hash of the parameters. */ -}}
{{- define "kaito-chat.parametersHash" -}}
{{- include "kaito-chat.parameters" . | sha256sum | trunc 6 -}}
{{- end -}}

{{- /* LoRA adapters in KAITO's format. */ -}}
{{- define "kaito-chat.adapters" -}}
{{- range . }}
- source:
    name: {{ .name | quote }}
    {{- with .image }}
    image: {{ . | quote }}
    {{- end }}
    {{- with .volume }}
    volumeSource: {{ toJson . }}
    {{- end }}
    {{- with .imagePullSecrets }}
    imagePullSecrets: {{ toJson . }}
    {{- end }}
  {{- with .strength }}
  strength: {{ . | quote }}
  {{- end }}
{{- end }}
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
  {{- include "kaito-chat.adapters" . | trim | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Annotations of the values, and the runtime's. */ -}}
{{- define "kaito-chat.kaitoAnnotations" -}}
{{- $annotations := dict -}}
{{- with .Values.model.runtime }}{{ $_ := set $annotations "kaito.sh/runtime" . }}{{ end -}}
{{- merge $annotations (default dict .Values.model.annotations) | toJson -}}
{{- end -}}

{{- /* KAITO's annotations of a Workspace or an InferenceSet. */ -}}
{{- define "kaito-chat.modelAnnotations" -}}
{{- $annotations := dict -}}
{{- if .Values.model.keep }}{{ $_ := set $annotations "helm.sh/resource-policy" "keep" }}{{ end -}}
{{- if and .Values.model.autoscaling.enabled (include "kaito-chat.several" .) -}}
{{- $_ := set $annotations "scaledobject.kaito.sh/auto-provision" "true" -}}
{{- $_ := set $annotations "scaledobject.kaito.sh/min-replicas" (toString .Values.model.autoscaling.minReplicas) -}}
{{- $_ := set $annotations "scaledobject.kaito.sh/max-replicas" (toString .Values.model.autoscaling.maxReplicas) -}}
{{- $metrics := list -}}
{{- range .Values.model.autoscaling.metrics -}}
{{- $metrics = append $metrics (merge (dict "name" .name "type" .type "upthreshold" .upThreshold "downthreshold" .downThreshold) (ternary (dict "metriccachewindow" .windowSeconds) dict (hasKey . "windowSeconds"))) -}}
{{- end -}}
{{- $_ := set $annotations "scaledobject.kaito.sh/metrics" (toYaml $metrics) -}}
{{- /* Default values of keda-kaito-scaler are left out: deployed objects do not change. */ -}}
{{- $defaults := dict "evaluationWindow" 60 "scaleUpCooldown" 300 "scaleDownCooldown" 300 -}}
{{- range $key, $default := $defaults -}}
{{- $seconds := dig (printf "%sSeconds" $key) $default $.Values.model.autoscaling | int -}}
{{- if ne $seconds (int $default) }}{{ $_ := set $annotations (printf "scaledobject.kaito.sh/%s" (lower $key)) (toString $seconds) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- merge $annotations (include "kaito-chat.kaitoAnnotations" . | fromJson) | toJson -}}
{{- end -}}
