{{- /* Annotation of a Deployment whose manifest states a number of pods although it is autoscaled. */ -}}
{{- define "kaito-chat.keepsReplicas" -}}
kaito-chat/keeps-replicas
{{- end -}}

{{- /*
Number of pods in the manifest of an autoscaled Deployment; empty if the manifest has never had one. Helm 3 resets a field
that leaves the manifest to its default, which is one pod. A release that switches autoscaling on therefore states the
live number from then on, never less than the minimum. Without a cluster (`helm template`) nothing is live.
*/ -}}
{{- define "kaito-chat.autoscaledReplicas" -}}
{{- $name := include "kaito-chat.chat" . -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace $name -}}
{{- if $live -}}
{{- $kept := hasKey (default dict $live.metadata.annotations) (include "kaito-chat.keepsReplicas" .) -}}
{{- if or $kept (not (lookup "autoscaling/v2" "HorizontalPodAutoscaler" .Release.Namespace $name)) -}}
{{ max (int $live.spec.replicas) (int .Values.chat.autoscaling.minReplicas) }}
{{- end -}}
{{- end -}}
{{- end -}}
