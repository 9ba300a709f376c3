{{- /*
Several models in one release. Every template of a model takes a root: `.` for `model`, or a copy of it in which
`.Values.model` is another model: one of `models`, a standby, or a further Workspace of a model with several replicas.
`resolved` of each root's model lists the roots of its family.
*/ -}}

{{- /* A root whose model is another one. Takes root and model. */ -}}
{{- define "kaito-chat.rootOf" -}}
{{- $values := set (omit .root.Values "model" "models") "model" .model -}}
{{- $_ := set .into "found" (dict "Values" $values "Release" .root.Release "Chart" .root.Chart "Capabilities" .root.Capabilities "Files" .root.Files) -}}
{{- end -}}

{{- /*
Add the lists to `resolved`, which a template cannot return: `standby` (none or one), `copies` (further Workspaces),
`models` (the roots of `models`), `serving` (all roots that answer, except this one) and `others` (those and standbys).
*/ -}}
{{- define "kaito-chat.family" -}}
{{- $root := . -}}
{{- $resolved := get .Values.model "resolved" -}}
{{- $standby := list -}}
{{- $copies := list -}}
{{- $models := list -}}
{{- $holder := dict -}}
{{- with include "kaito-chat.standbyModel" . -}}
{{- include "kaito-chat.rootOf" (dict "root" $root "model" (fromJson .) "into" $holder) -}}
{{- $standby = append $standby $holder.found -}}
{{- end -}}
{{- if and .Values.model.enabled (not $resolved.set) -}}
{{- range $index := untilStep 2 (int (add1 (int .Values.model.replicas))) 1 -}}
{{- $model := omit $root.Values.model "standby" "ingress" "resolved" | deepCopy -}}
{{- $_ := set $model "replicas" 1 -}}
{{- $_ := set $model "replica" $index -}}
{{- include "kaito-chat.rootOf" (dict "root" $root "model" $model "into" $holder) -}}
{{- $copies = append $copies $holder.found -}}
{{- end -}}
{{- end -}}
{{- range $name, $given := .Values.models -}}
{{- $model := mergeOverwrite (include "kaito-chat.modelDefaults" $root | fromYaml) (deepCopy $given) -}}
{{- if $model.enabled -}}
{{- $_ := set $model "name" $name -}}
{{- include "kaito-chat.rootOf" (dict "root" $root "model" $model "into" $holder) -}}
{{- $models = append $models $holder.found -}}
{{- end -}}
{{- end -}}
{{- $serving := $copies -}}
{{- $others := concat $copies $standby -}}
{{- range concat $copies $standby $models }}{{ include "kaito-chat.resolve" . }}{{ end -}}
{{- range $standby }}{{ $others = concat $others (get .Values.model "resolved").others }}{{ end -}}
{{- range $models -}}
{{- $family := get .Values.model "resolved" -}}
{{- $serving = concat (append $serving .) $family.serving -}}
{{- $others = concat (append $others .) $family.others -}}
{{- end -}}
{{- range $key, $value := dict "standby" $standby "copies" $copies "models" $models "serving" $serving "others" $others -}}
{{- $_ := set $resolved $key $value -}}
{{- end -}}
{{- end -}}

{{- /* Values of a model of `models` that its entry leaves out: the default values of `model`. */ -}}
{{- define "kaito-chat.modelDefaults" -}}
enabled: true
kind: ""
keep: false
allowInterruption: false
standby: {}
preset: phi-4-mini-instruct
displayName: ""
description: ""
icon: ""
starters: []
template: {}
accessSecret: ""
keyVaultSecret: ""
image: ""
imagePullSecrets: []
instanceType: Standard_NC24ads_A100_v4
nodeCount: 1
nodeLabels: {}
preferredNodes: []
migProfile: ""
runtime: ""
annotations: {}
vllm: {}
maxProbeSteps: null
adapters: []
replicas: 1
nodeCountLimit: null
autoscaling:
  enabled: false
  minReplicas: 1
  maxReplicas: 3
  metrics:
    - name: "vllm:num_requests_waiting"
      type: gauge
      upThreshold: 5
      downThreshold: 1
  evaluationWindowSeconds: 60
  scaleUpCooldownSeconds: 300
  scaleDownCooldownSeconds: 300
autoUpgrade:
  enabled: false
  strategy: InPlace
  schedule: ""
  duration: 4h
schedule:
  enabled: false
  wakes: ""
  sleeps: ""
  timeZone: UTC
  replicas: 1
  holdSeconds: 3600
ingress:
  enabled: false
  host: ""
  basicAuthSecret: ""
  allowedCidrs: []
  tlsSecret: ""
{{- end -}}

{{- /* Path of the model's values, for messages. */ -}}
{{- define "kaito-chat.modelPath" -}}
{{- with get .Values.model "name" }}models.{{ . }}{{ else }}model{{ end -}}
{{- end -}}

{{- /* What tells models of a release apart whose other values are equal; empty for `model`. Goes into names of objects. */ -}}
{{- define "kaito-chat.modelKey" -}}
{{- $key := dict -}}
{{- with get .Values.model "name" }}{{ $_ := set $key "model" . }}{{ end -}}
{{- with get .Values.model "replica" }}{{ $_ := set $key "replica" (int .) }}{{ end -}}
{{- toJson $key -}}
{{- end -}}

{{- /* Label of a model's objects; empty for `model`. An upgrade finds by it the objects that a model had before. */ -}}
{{- define "kaito-chat.modelLabel" -}}
{{- with get .Values.model "name" }}kaito-chat/model: {{ . | quote }}{{ end -}}
{{- end -}}

{{- /* Checks of one model, and that of its release. Takes a root. */ -}}
{{- define "kaito-chat.modelChecks" -}}
{{- $path := include "kaito-chat.modelPath" . -}}
{{- $model := .Values.model -}}
{{- $autoscaling := default dict $model.autoscaling -}}
{{- $replicas := int (default 1 $model.replicas) -}}
{{- if and (eq (default "" $model.kind) "Workspace") $autoscaling.enabled -}}
{{- fail (printf "%s.kind is Workspace, which KAITO does not scale: with %s.autoscaling.enabled set %s.kind: InferenceSet." $path $path $path) -}}
{{- end -}}
{{- if and $model.enabled $autoscaling.enabled (lt (int $autoscaling.maxReplicas) 2) -}}
{{- fail (printf "%s.autoscaling.maxReplicas must be 2 or more." $path) -}}
{{- end -}}
{{- if and $autoscaling.enabled (gt (int $autoscaling.minReplicas) (int $autoscaling.maxReplicas)) -}}
{{- fail (printf "%s.autoscaling.minReplicas is above %s.autoscaling.maxReplicas." $path $path) -}}
{{- end -}}
{{- if and (eq (default "" $model.kind) "Workspace") (gt $replicas 1) (or $model.nodeLabels $model.preferredNodes) -}}
{{- fail (printf "%s.kind is Workspace, with %s.replicas above 1: leave nodeLabels and preferredNodes empty, since KAITO would start two of them on one GPU node." $path $path) -}}
{{- end -}}
{{- if and (default dict $model.autoUpgrade).enabled (not (include "kaito-chat.several" .)) -}}
{{- fail (printf "%s.autoUpgrade.enabled needs %s.kind: InferenceSet; KAITO upgrades no Workspace of its own." $path $path) -}}
{{- end -}}
{{- if and $model.migProfile $model.instanceType -}}
{{- fail (printf "%s.migProfile needs existing nodes: set %s.instanceType to an empty text, and %s.nodeLabels." $path $path $path) -}}
{{- end -}}
{{- if and $model.keyVaultSecret $model.accessSecret -}}
{{- fail (printf "%s.keyVaultSecret and %s.accessSecret are both set: set only one of them." $path $path) -}}
{{- end -}}
{{- $vault := .Values.chat.keyVault -}}
{{- if and $model.enabled $model.keyVaultSecret (not (and $vault.name $vault.tenantId .Values.chat.workloadIdentity.enabled)) -}}
{{- fail (printf "%s.keyVaultSecret needs chat.keyVault.name, chat.keyVault.tenantId and chat.workloadIdentity: the identity of the chat's pods reads the key vault." $path) -}}
{{- end -}}
{{- range $model.adapters -}}
{{- if eq (empty .image) (empty .volume) -}}
{{- fail (printf "%s.adapters: %q needs an image or a volume, and not both." $path .name) -}}
{{- end -}}
{{- end -}}
{{- include "kaito-chat.scheduleChecks" . -}}
{{- include "kaito-chat.switchChecks" . -}}
{{- end -}}

{{- /* Refuse to let a kept model leave the release with its entry of `models`; `model` has the same check for itself. */ -}}
{{- define "kaito-chat.keptModels" -}}
{{- $named := list "" -}}
{{- range (get .Values.model "resolved").models }}{{ $named = append $named (get .Values.model "name") }}{{ end -}}
{{- range $name := include "kaito-chat.usedNames" . | fromJsonArray -}}
{{- range $set := list false true -}}
{{- with include "kaito-chat.liveNamed" (dict "root" $ "set" $set "name" $name) | fromJson -}}
{{- $key := dig "metadata" "labels" "kaito-chat/model" "" . -}}
{{- if and (not (has $key $named)) (eq "keep" (dig "metadata" "annotations" "helm.sh/resource-policy" "" .)) -}}
{{- fail (printf "models.%s.keep: %s would leave the release and remain in the cluster, where helm 3 cannot roll back to it, and its GPU node is billed. Release models.%s.keep: false first." $key $name $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Refuse models whose pods would share nodes or a name in the picker. */ -}}
{{- define "kaito-chat.modelsDiffer" -}}
{{- $names := list -}}
{{- range .Values.chat.models }}{{ $names = append $names .name }}{{ end -}}
{{- $labels := list -}}
{{- range prepend (get .Values.model "resolved").models . -}}
{{- if .Values.model.enabled -}}
{{- $name := include "kaito-chat.modelTitle" . -}}
{{- $path := include "kaito-chat.modelPath" . -}}
{{- if has $name $names -}}
{{- fail (printf "%s is named %q, and so is another model of the chat: set %s.displayName." $path $name $path) -}}
{{- end -}}
{{- $names = append $names $name -}}
{{- with and .Values.model.instanceType .Values.model.nodeLabels -}}
{{- if has (toJson .) $labels -}}
{{- fail (printf "%s has the nodeLabels of another model, so KAITO would start both on one GPU node: set %s.nodeLabels." $path $path) -}}
{{- end -}}
{{- $labels = append $labels (toJson .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
