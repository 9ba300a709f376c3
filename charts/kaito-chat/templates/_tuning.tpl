{{- /*
Tunings: Workspaces that train a LoRA adapter once. KAITO refuses other values of a Workspace, or trains again, so the name
ends with a hash of all of them: another tuning is another object. The namespace is part of it, because the name is the
default label of the node, which tunings of two namespaces must not share.
*/ -}}

{{- /* The `tuning` of a Workspace as JSON, with the name of its ConfigMap left out. Takes root and given. */ -}}
{{- define "kaito-chat.tuningSpec" -}}
{{- $input := dict "name" "data" -}}
{{- with (default dict .given.input).urls }}{{ $_ := set $input "urls" . }}{{ end -}}
{{- with (default dict .given.input).image }}{{ $_ := set $input "image" . }}{{ end -}}
{{- with (default dict .given.input).imagePullSecrets }}{{ $_ := set $input "imagePullSecrets" . }}{{ end -}}
{{- with (default dict .given.input).volume }}{{ $_ := set $input "volumeSource" . }}{{ end -}}
{{- $output := dict -}}
{{- with (default dict .given.output).image -}}
{{- $_ := set $output "image" . -}}
{{- $_ := set $output "imagePushSecret" (default (include "kaito-chat.registryLogin" (dict "root" $.root "right" "push")) $.given.output.pushSecret) -}}
{{- end -}}
{{- with (default dict .given.output).volume }}{{ $_ := set $output "volumeSource" . }}{{ end -}}
{{- dict "preset" (dict "name" .given.preset) "method" (default "lora" .given.method) "input" $input "output" $output | toJson -}}
{{- end -}}

{{- /* Name of a tuning's Workspace: at most 46 characters, as a model's. Takes root, name and given. */ -}}
{{- define "kaito-chat.tuningName" -}}
{{- $spec := include "kaito-chat.tuningSpec" . | fromJson -}}
{{- $what := dict "tuning" $spec "namespace" .root.Release.Namespace "name" .name "instanceType" .given.instanceType "nodeLabels" (default dict .given.nodeLabels) "config" (default dict .given.config) -}}
{{- $begin := include "kaito-chat.fullname" .root -}}
{{- $slug := printf "t-%s" .name | trunc (int (sub 38 (len $begin))) | trimSuffix "-" -}}
{{- printf "%s-%s-%s" $begin $slug (toJson $what | sha256sum | trunc 6) -}}
{{- end -}}

{{- /* Labels of a tuning's objects. Takes root and name. */ -}}
{{- define "kaito-chat.tuningLabels" -}}
{{ include "kaito-chat.labels" .root }}
app.kubernetes.io/component: tuning
kaito-chat/tuning: {{ .name | quote }}
{{- end -}}

{{- /* Checks of a tuning that the schema cannot express. Takes root, name and given. */ -}}
{{- define "kaito-chat.tuningChecks" -}}
{{- $input := default dict .given.input -}}
{{- $output := default dict .given.output -}}
{{- $inputs := 0 -}}
{{- range list $input.urls $input.image $input.volume }}{{ if . }}{{ $inputs = add $inputs 1 }}{{ end }}{{ end -}}
{{- if ne (int $inputs) 1 -}}
{{- fail (printf "tuning.%s.input needs exactly one of urls, image and volume." .name) -}}
{{- end -}}
{{- if eq (empty $output.image) (empty $output.volume) -}}
{{- fail (printf "tuning.%s.output needs an image or a volume, and not both." .name) -}}
{{- end -}}
{{- if and $output.image (not $output.pushSecret) (not (default dict (default dict .root.Values.registryLogin).push).enabled) -}}
{{- fail (printf "tuning.%s.output.image needs tuning.%s.output.pushSecret, a Secret with the right to push, or registryLogin.push." .name .name) -}}
{{- end -}}
{{- end -}}

{{- /*
Logins to a registry with a workload identity: `push` for the results of tunings, `pull` for data and adapters, which a
container of KAITO downloads without the kubelet's identity.
*/ -}}

{{- /* Secret, ServiceAccount, Role and CronJob of a login. Takes root and right. */ -}}
{{- define "kaito-chat.registryLogin" -}}
{{- printf "%s-registry-%s" (include "kaito-chat.fullname" .root) .right -}}
{{- end -}}

{{- /* Labels that select the pods of the logins. Takes a root. */ -}}
{{- define "kaito-chat.registryLoginSelector" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/component: registry-login
{{- end -}}

{{- /* Job of the chat's image that writes the Secret. Takes root and right. */ -}}
{{- define "kaito-chat.registryLoginJob" -}}
{{- $chat := .root.Values.chat -}}
{{- $name := include "kaito-chat.registryLogin" . -}}
backoffLimit: 2
activeDeadlineSeconds: 500
template:
  metadata:
    labels:
      {{- include "kaito-chat.registryLoginSelector" .root | nindent 6 }}
      azure.workload.identity/use: "true"
  spec:
    restartPolicy: Never
    serviceAccountName: {{ $name | quote }}
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
      - name: registry-login
        image: {{ include "kaito-chat.image" .root | quote }}
        imagePullPolicy: {{ $chat.image.pullPolicy }}
        command: [python, -m, kaito_chat.registry_login]
        args: [--registry, {{ .root.Values.registryLogin.server | quote }}, --secret, {{ $name | quote }}]
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
