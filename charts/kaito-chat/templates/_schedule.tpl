{{- /*
Schedule of a model: CronJobs that scale its InferenceSet to zero and start it again. Reasons for CronJobs beside KEDA:
docs/explanation/adr/20261128-schedules-are-cron-jobs.md.
*/ -}}

{{- /* Not empty if the chart scales the model by its schedule. Takes a root. */ -}}
{{- define "kaito-chat.scheduled" -}}
{{- if and .Values.model.enabled (default dict .Values.model.schedule).enabled (include "kaito-chat.several" .) -}}yes{{- end -}}
{{- end -}}

{{- /*
Not empty if this release takes the schedule away from an InferenceSet that stays. It may be asleep, and nothing else would
start it: helm does not patch a number that both manifests state. Takes a root.
*/ -}}
{{- define "kaito-chat.leavesSchedule" -}}
{{- if and .Values.model.enabled .Release.IsUpgrade (include "kaito-chat.several" .) (not (include "kaito-chat.scheduled" .)) -}}
{{- $live := lookup "batch/v1" "CronJob" .Release.Namespace (printf "%s-sleep" (include "kaito-chat.model" .)) -}}
{{- if eq .Release.Name (dig "metadata" "labels" "app.kubernetes.io/instance" "" (default dict $live)) -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Names of all InferenceSets whose number of replicas the CronJobs change, as JSON. */ -}}
{{- define "kaito-chat.scheduledNames" -}}
{{- include "kaito-chat.resolve" . -}}
{{- $names := list -}}
{{- range prepend (get .Values.model "resolved").others . -}}
{{- if or (include "kaito-chat.scheduled" .) (include "kaito-chat.leavesSchedule" .) }}{{ $names = append $names (include "kaito-chat.model" .) }}{{ end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{- /* The same of those that KEDA scales by load. */ -}}
{{- define "kaito-chat.pausedNames" -}}
{{- include "kaito-chat.resolve" . -}}
{{- $names := list -}}
{{- range prepend (get .Values.model "resolved").others . -}}
{{- if and .Values.model.autoscaling.enabled (or (include "kaito-chat.scheduled" .) (include "kaito-chat.leavesSchedule" .)) }}{{ $names = append $names (include "kaito-chat.model" .) }}{{ end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{- /* ServiceAccount, Role and network policy of the Jobs. */ -}}
{{- define "kaito-chat.scaling" -}}
{{- printf "%s-scaling" (include "kaito-chat.chat" .) -}}
{{- end -}}

{{- /* Service without an address, whose name resolves to all of the chat's pods. */ -}}
{{- define "kaito-chat.chatPods" -}}
{{- printf "%s-pods" (include "kaito-chat.chat" .) -}}
{{- end -}}

{{- /* Labels that select the Jobs' pods. */ -}}
{{- define "kaito-chat.scalingSelector" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/component: scaling
{{- end -}}

{{- /* Replicas with which a model starts: those of its schedule, or the least that it has otherwise. Takes a root. */ -}}
{{- define "kaito-chat.awakeReplicas" -}}
{{- $model := .Values.model -}}
{{- if include "kaito-chat.scheduled" . -}}
{{- int (default 1 $model.schedule.replicas) -}}
{{- else -}}
{{- ternary (int $model.autoscaling.minReplicas) (int $model.replicas) $model.autoscaling.enabled -}}
{{- end -}}
{{- end -}}

{{- /* Arguments of the three CronJobs by their names, as JSON. Takes a root. */ -}}
{{- define "kaito-chat.scheduleJobs" -}}
{{- $schedule := .Values.model.schedule -}}
{{- $name := include "kaito-chat.model" . -}}
{{- $keda := ternary (list "--keda") list .Values.model.autoscaling.enabled -}}
{{- $zone := default "UTC" $schedule.timeZone -}}
{{- $times := list "--wakes" $schedule.wakes "--sleeps" $schedule.sleeps "--time-zone" $zone -}}
{{- $metrics := printf "http://%s.%s.svc:8081/metrics" (include "kaito-chat.chatPods" .) .Release.Namespace -}}
{{- $unused := list "--model" (include "kaito-chat.modelTitle" .) "--seconds" (int (default 3600 $schedule.holdSeconds) | toString) "--metrics-url" $metrics -}}
{{- dict
  "wake" (dict "schedule" $schedule.wakes "args" (concat (list "wake" $name "--replicas" (include "kaito-chat.awakeReplicas" .)) $keda))
  "sleep" (dict "schedule" $schedule.sleeps "args" (concat (list "sleep" $name) $keda))
  "doze" (dict "schedule" "*/15 * * * *" "args" (concat (list "doze" $name) $unused $times $keda))
  | toJson -}}
{{- end -}}

{{- /* Job of the chat's image that scales a model. Takes root, args and seconds. */ -}}
{{- define "kaito-chat.scalingJob" -}}
{{- $chat := .root.Values.chat -}}
backoffLimit: 3
activeDeadlineSeconds: 600
template:
  metadata:
    labels:
      {{- include "kaito-chat.scalingSelector" .root | nindent 6 }}
  spec:
    restartPolicy: Never
    serviceAccountName: {{ include "kaito-chat.scaling" .root | quote }}
    automountServiceAccountToken: true
    enableServiceLinks: false
    securityContext:
      runAsNonRoot: true
      runAsUser: 10001
      runAsGroup: 10001
      seccompProfile:
        type: RuntimeDefault
    {{- with $chat.image.pullSecrets }}
    imagePullSecrets:
      {{- range . }}
      - name: {{ . | quote }}
      {{- end }}
    {{- end }}
    {{- with $chat.tolerations }}
    tolerations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    containers:
      - name: scaling
        image: {{ include "kaito-chat.image" .root | quote }}
        imagePullPolicy: {{ $chat.image.pullPolicy }}
        command: [python, -m, kaito_chat.scaling]
        args: {{ toJson .args }}
        resources:
          requests: {cpu: 50m, memory: 128Mi}
          limits: {memory: 256Mi}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
    volumes: []
{{- end -}}

{{- /* Checks of a model's schedule. Takes a root. */ -}}
{{- define "kaito-chat.scheduleChecks" -}}
{{- $path := include "kaito-chat.modelPath" . -}}
{{- $schedule := default dict .Values.model.schedule -}}
{{- $autoscaling := .Values.model.autoscaling -}}
{{- if and .Values.model.enabled $schedule.enabled -}}
{{- if not (and $schedule.wakes $schedule.sleeps) -}}
{{- fail (printf "%s.schedule.enabled needs %s.schedule.wakes and %s.schedule.sleeps: times to start the model, and to scale it to zero." $path $path $path) -}}
{{- end -}}
{{- if eq $schedule.wakes $schedule.sleeps -}}
{{- fail (printf "%s.schedule.wakes and %s.schedule.sleeps are the same times." $path $path) -}}
{{- end -}}
{{- if not (include "kaito-chat.several" .) -}}
{{- fail (printf "%s.schedule.enabled needs %s.kind: InferenceSet; KAITO does not scale a Workspace." $path $path) -}}
{{- end -}}
{{- $replicas := int (default 1 $schedule.replicas) -}}
{{- if and $autoscaling.enabled (or (lt $replicas (int $autoscaling.minReplicas)) (gt $replicas (int $autoscaling.maxReplicas))) -}}
{{- fail (printf "%s.schedule.replicas is not between %s.autoscaling.minReplicas and maxReplicas." $path $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}
