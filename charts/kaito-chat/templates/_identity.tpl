{{- /*
Which object is the model: a Workspace or an InferenceSet, and its name. KAITO refuses changes of instance type, selector,
node count and preset of a Workspace; an edit of these fields of an InferenceSet, or of a template, reaches no pod. So the
name ends with a hash of them: another model is another object.

Other fields reach no pod either, and are part of the hash only if they have to be (`generation`): names of models that
run must not change. The cluster decides; without one (helm template) the default is the name of the first releases for a
Workspace, and every such field for an InferenceSet.
*/ -}}

{{- /* Decide once for these values, since it reads the cluster: `resolved` of the model gets `set`, `generation`, and its family. */ -}}
{{- define "kaito-chat.resolve" -}}
{{- if not (hasKey .Values.model "resolved") -}}
{{- $_ := set .Values.model "resolved" (include "kaito-chat.identity" . | fromJson) -}}
{{- include "kaito-chat.family" . -}}
{{- end -}}
{{- end -}}

{{- /* Values of the standby model: those of the model, except the fields that `standby` has. Empty without one. */ -}}
{{- define "kaito-chat.standbyModel" -}}
{{- $standby := default dict .Values.model.standby -}}
{{- if and .Values.model.enabled $standby -}}
{{- $model := omit .Values.model "standby" "ingress" "resolved" | deepCopy -}}
{{- if and $standby.preset (not $standby.template) -}}{{- $_ := set $model "template" dict -}}{{- end -}}
{{- range $key, $value := $standby -}}{{- $_ := set $model $key $value -}}{{- end -}}
{{- $autoscaling := deepCopy .Values.model.autoscaling -}}
{{- range $key, $value := $standby.autoscaling -}}{{- $_ := set $autoscaling $key $value -}}{{- end -}}
{{- $_ := set $model "autoscaling" $autoscaling -}}
{{- toJson (set $model "keep" false) -}}
{{- end -}}
{{- end -}}

{{- /* Kind and generation of the model as JSON: {set: bool, generation: text}. */ -}}
{{- define "kaito-chat.identity" -}}
{{- $kind := default "" .Values.model.kind -}}
{{- $always := eq "always" (default "auto" (default dict .Values.kaito).inferenceSets) -}}
{{- $set := or (eq $kind "InferenceSet") (and (not $kind) (or $always (gt (int .Values.model.replicas) 1) .Values.model.autoscaling.enabled)) -}}
{{- $found := include "kaito-chat.identityOf" (dict "root" . "set" $set) | fromJson -}}
{{- if and (not $kind) (not $set) -}}
{{- $scaled := include "kaito-chat.identityOf" (dict "root" . "set" true) | fromJson -}}
{{- /* An InferenceSet that is scaled to one replica stays one. */ -}}
{{- if and $scaled.live (not $found.live) -}}{{- $found = $scaled -}}{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* The same for one kind, and whether the object exists. Takes root and set. */ -}}
{{- define "kaito-chat.identityOf" -}}
{{- $fields := include "kaito-chat.notRolled" . -}}
{{- $first := dict "root" .root "set" .set "generation" "" -}}
{{- $next := dict "root" .root "set" .set "generation" $fields -}}
{{- $found := ternary $next $first (and .set (ne $fields "{}")) -}}
{{- $live := include "kaito-chat.live" $next | fromJson -}}
{{- if $live -}}
{{- $found = $next -}}
{{- else -}}
{{- $live = include "kaito-chat.live" $first | fromJson -}}
{{- if $live -}}
{{- $found = ternary $first $next (eq $fields (include "kaito-chat.notRolledOf" (dict "fields" $fields "set" .set "live" $live))) -}}
{{- end -}}
{{- end -}}
{{- toJson (dict "set" .set "generation" $found.generation "live" (not (empty $live))) -}}
{{- end -}}

{{- /* The live object of this release, or {}. Takes root, set and generation. */ -}}
{{- define "kaito-chat.live" -}}
{{- include "kaito-chat.liveNamed" (dict "root" .root "set" .set "name" (include "kaito-chat.modelName" .)) -}}
{{- end -}}

{{- /* The same by name. Takes root, set and name. Objects of other releases do not count. */ -}}
{{- define "kaito-chat.liveNamed" -}}
{{- $kind := ternary "InferenceSet" "Workspace" .set -}}
{{- $found := dict -}}
{{- if .root.Capabilities.APIVersions.Has (printf "kaito.sh/v1beta1/%s" $kind) -}}
{{- $found = lookup "kaito.sh/v1beta1" $kind .root.Release.Namespace .name -}}
{{- end -}}
{{- $labels := dig "metadata" "labels" dict $found -}}
{{- ternary $found dict (eq .root.Release.Name (get $labels "app.kubernetes.io/instance")) | toJson -}}
{{- end -}}

{{- /*
Fields that KAITO reads only when it creates the object, as JSON with sorted keys; {} if none is set. For both kinds its
annotations, of which the resource checks concern the admission only, and vLLM is the runtime without one. For an
InferenceSet also parameters and adapters, which KAITO rolls out for a Workspace. Takes root and set.
See: pkg/workspace/controllers/workspace_controller.go and docs/inference.md of kaito-project/kaito
*/ -}}
{{- define "kaito-chat.notRolled" -}}
{{- $fields := dict -}}
{{- $annotations := include "kaito-chat.createdWith" (include "kaito-chat.kaitoAnnotations" .root | fromJson) | fromJson -}}
{{- with $annotations }}{{ $_ := set $fields "annotations" . }}{{ end -}}
{{- if .set -}}
{{- if include "kaito-chat.configured" .root }}{{ $_ := set $fields "parameters" (include "kaito-chat.parametersHash" .root) }}{{ end -}}
{{- with .root.Values.model.adapters }}{{ $_ := set $fields "adapters" (include "kaito-chat.adapters" . | fromYamlArray) }}{{ end -}}
{{- end -}}
{{- toJson $fields -}}
{{- end -}}

{{- /* The same of a live object; of its annotations those of the fields and KAITO's own. Takes fields, set and live. */ -}}
{{- define "kaito-chat.notRolledOf" -}}
{{- $asked := keys (dig "annotations" dict (fromJson .fields)) -}}
{{- range list "enablelb" "runtime" "node-image-family" "node-class-name" "performance-mode" "disable-benchmark" "use-local-weights" -}}
{{- $asked = append $asked (printf "kaito.sh/%s" .) -}}
{{- end -}}
{{- $annotations := dict -}}
{{- range $key, $value := dig "metadata" "annotations" dict .live -}}
{{- if has $key $asked }}{{ $_ := set $annotations $key $value }}{{ end -}}
{{- end -}}
{{- $fields := dict -}}
{{- with include "kaito-chat.createdWith" $annotations | fromJson }}{{ $_ := set $fields "annotations" . }}{{ end -}}
{{- if .set -}}
{{- $inference := dig "spec" "template" "inference" dict .live -}}
{{- with $inference.config }}{{ $_ := set $fields "parameters" (splitList "-" . | last) }}{{ end -}}
{{- with $inference.adapters }}{{ $_ := set $fields "adapters" . }}{{ end -}}
{{- end -}}
{{- toJson $fields -}}
{{- end -}}

{{- /* Of annotations those that KAITO reads only when it creates pods, nodes or a Service. */ -}}
{{- define "kaito-chat.createdWith" -}}
{{- $found := dict -}}
{{- range $key, $value := . -}}
{{- if and (hasPrefix "kaito.sh/" $key) (ne $key "kaito.sh/bypass-resource-checks") (not (and (eq $key "kaito.sh/runtime") (eq $value "vllm"))) -}}
{{- $_ := set $found $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}
