{{- /* Refusals of an upgrade that takes a running model away. They read the cluster: helm template refuses nothing. */ -}}
{{- define "kaito-chat.switchChecks" -}}
{{- $model := .Values.model -}}
{{- $path := include "kaito-chat.modelPath" . -}}
{{- include "kaito-chat.resolve" . -}}
{{- $standby := (get $model "resolved").standby -}}
{{- $name := ternary (include "kaito-chat.model" .) "" $model.enabled -}}
{{- range $standby -}}
{{- if eq $name (include "kaito-chat.model" .) -}}
{{- fail (printf "%s.standby is the same model as `%s`: set the fields in which it differs, such as preset or instanceType, or remove it." $path $path) -}}
{{- end -}}
{{- if and .Values.model.instanceType $model.nodeLabels (eq (toJson .Values.model.nodeLabels) (toJson $model.nodeLabels)) -}}
{{- fail (printf "%s.standby has the nodeLabels of `%s`, so KAITO would start both on one GPU node: set %s.standby.nodeLabels." $path $path $path) -}}
{{- end -}}
{{- end -}}
{{- $used := include "kaito-chat.usedModel" . | fromJson -}}
{{- if and $used (ne $used.prefix (include "kaito-chat.chat" .)) (not $model.allowInterruption) -}}
{{- fail (printf "The objects of this release begin with %s, and would begin with %s: all would be created again, and %s %s deleted. Set fullnameOverride: %s, or accept the interruption with %s.allowInterruption: true." $used.prefix (include "kaito-chat.chat" .) $used.kind $used.name $used.prefix $path) -}}
{{- end -}}
{{- if and $used (ne $used.name $name) -}}
{{- $stays := false -}}
{{- range $standby }}{{ if eq $used.name (include "kaito-chat.model" .) }}{{ $stays = true }}{{ end }}{{ end -}}
{{- $old := printf "%s %s" $used.kind $used.name -}}
{{- if and $used.kept (not $stays) -}}
{{- fail (printf "%s.keep: %s would leave the release and remain in the cluster, where helm 3 cannot roll back to it, and its GPU node is billed. Describe it in %s.standby to exchange it for a model that is ready, or release %s.keep: false first." $path $old $path $path) -}}
{{- end -}}
{{- if and $model.enabled $used.running (not $model.allowInterruption) (not (include "kaito-chat.ready" .)) -}}
{{- $new := printf "%s %s" (ternary "InferenceSet" "Workspace" (not (empty (include "kaito-chat.several" .)))) $name -}}
{{- fail (printf "The chat uses %s, and this release would give it %s, which is not ready: no answers for about 20 minutes%s. Leave `%s` unchanged, describe the new model in %s.standby, and exchange both when it is ready (docs/how-to/change-the-model.md). Or accept the interruption with %s.allowInterruption: true." $old $new (ternary "" ", also after a rollback, which would start the old model from the beginning" $stays) $path $path $path) -}}
{{- end -}}
{{- end -}}
{{- if include "kaito-chat.parametersKept" . -}}
{{- fail (printf "%s.vllm or %s.maxProbeSteps changes together with the chart, whose previous version kept the ConfigMap of %s.keep: helm 3 could not roll this back. Release the new chart with unchanged values first." $path $path $path) -}}
{{- end -}}
{{- end -}}

{{- /*
The object that the deployed chat uses for this model, as JSON: kind, name, kept, running, and the prefix of the release's names;
{} without one. `running` is false only if KAITO reports that it never worked: 0.12's `state` is Ready or NotReady after the
first success, 0.6 keeps InferenceReady.
*/ -}}
{{- define "kaito-chat.usedModel" -}}
{{- $deployed := include "kaito-chat.deployedSettings" . | fromJson -}}
{{- $key := default "" (get .Values.model "name") -}}
{{- $found := dict -}}
{{- range $name := include "kaito-chat.usedNames" . | fromJsonArray -}}
{{- if not $found -}}
{{- range $set := list false true -}}
{{- with include "kaito-chat.liveOf" (dict "root" $ "set" $set "name" $name "key" $key) | fromJson -}}
{{- $conditions := include "kaito-chat.conditions" . | fromJson -}}
{{- $state := dig "status" "state" "" . -}}
{{- $never := and (eq "False" (get $conditions "WorkspaceSucceeded")) (ne "True" (get $conditions "InferenceReady")) (not (has $state (list "Ready" "NotReady"))) -}}
{{- $kept := eq "keep" (dig "metadata" "annotations" "helm.sh/resource-policy" "" .) -}}
{{- $found = dict "kind" (ternary "InferenceSet" "Workspace" $set) "name" $name "kept" $kept "running" (not $never) "prefix" $deployed.metadata.name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* Names of the objects that the deployed chat may use, of all models, as JSON: the hosts of its models' addresses. */ -}}
{{- define "kaito-chat.usedNames" -}}
{{- $data := dig "data" dict (include "kaito-chat.deployedSettings" . | fromJson) -}}
{{- $urls := list (default "" (get $data "KAITO_CHAT_ENDPOINT_URL")) -}}
{{- with get $data "KAITO_CHAT_MODELS" }}{{ range fromJsonArray . }}{{ $urls = append $urls (dig "endpoint_url" "" .) }}{{ end }}{{ end -}}
{{- $names := list -}}
{{- range $urls -}}
{{- $name := trimPrefix "http://" . -}}
{{- if regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $name }}{{ $names = append $names $name }}{{ end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{- /* The live object of a model by its name, or {}. Takes root, set, name, and the model's key in `models`, empty for `model`. */ -}}
{{- define "kaito-chat.liveOf" -}}
{{- $live := include "kaito-chat.liveNamed" . | fromJson -}}
{{- ternary $live dict (eq .key (dig "metadata" "labels" "kaito-chat/model" "" $live)) | toJson -}}
{{- end -}}

{{- /* The live ConfigMap with the chat's settings, or {}: by its name, or by its labels if the prefix of the names changed. */ -}}
{{- define "kaito-chat.deployedSettings" -}}
{{- $found := lookup "v1" "ConfigMap" .Release.Namespace (include "kaito-chat.chat" .) -}}
{{- if not (eq .Release.Name (dig "metadata" "labels" "app.kubernetes.io/instance" "" $found)) -}}
{{- $found = dict -}}
{{- $labels := set (include "kaito-chat.selector" . | fromYaml) "app.kubernetes.io/component" "chat" -}}
{{- range $item := dig "items" list (lookup "v1" "ConfigMap" .Release.Namespace "") -}}
{{- $same := true -}}
{{- range $key, $value := $labels }}{{ $same = and $same (eq $value (dig "metadata" "labels" $key "" $item)) }}{{ end -}}
{{- if $same }}{{ $found = . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* Not empty if the model of these values exists and answers. */ -}}
{{- define "kaito-chat.ready" -}}
{{- $set := not (empty (include "kaito-chat.several" .)) -}}
{{- with include "kaito-chat.liveNamed" (dict "root" . "set" $set "name" (include "kaito-chat.model" .)) | fromJson -}}
{{- if $set -}}
{{- if gt (int (dig "status" "readyReplicas" 0 .)) 0 }}yes{{ end -}}
{{- else if eq "True" (get (include "kaito-chat.conditions" . | fromJson) "WorkspaceSucceeded") -}}yes
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Status of each condition of an object, as JSON. */ -}}
{{- define "kaito-chat.conditions" -}}
{{- $found := dict -}}
{{- range dig "status" "conditions" list . }}{{ $_ := set $found .type .status }}{{ end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* Not empty if a ConfigMap with helm.sh/resource-policy: keep would leave the release. */ -}}
{{- define "kaito-chat.parametersKept" -}}
{{- $set := not (empty (include "kaito-chat.several" .)) -}}
{{- $live := include "kaito-chat.liveNamed" (dict "root" . "set" $set "name" (include "kaito-chat.model" .)) | fromJson -}}
{{- $config := ternary (dig "spec" "template" "inference" "config" "" $live) (dig "inference" "config" "" $live) $set -}}
{{- $next := ternary (include "kaito-chat.inferenceConfig" .) "" (not (empty (include "kaito-chat.configured" .))) -}}
{{- if and $config (ne $config $next) -}}
{{- $map := lookup "v1" "ConfigMap" .Release.Namespace $config -}}
{{- if eq "keep" (dig "metadata" "annotations" "helm.sh/resource-policy" "" $map) }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{- /*
Replicas of an InferenceSet; empty to leave them to KAITO. With autoscaling or a schedule the live count, also 0: without
the field, the API server would set the default of 1 at the change from a fixed number.
*/ -}}
{{- define "kaito-chat.replicas" -}}
{{- $scheduled := not (empty (include "kaito-chat.scheduled" .)) -}}
{{- if or .Values.model.autoscaling.enabled $scheduled -}}
{{- $live := include "kaito-chat.liveNamed" (dict "root" . "set" true "name" (include "kaito-chat.model" .)) | fromJson -}}
{{- if hasKey (default dict $live.spec) "replicas" -}}
{{- int $live.spec.replicas -}}
{{- else if and $scheduled (lookup "v1" "Namespace" "" .Release.Namespace) -}}
{{- /* A new model in a cluster; without one (helm template), a number would undo the schedule at each application. */ -}}
{{- include "kaito-chat.awakeReplicas" . -}}
{{- end -}}
{{- else -}}
{{- int .Values.model.replicas -}}
{{- end -}}
{{- end -}}
