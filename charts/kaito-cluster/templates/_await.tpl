{{- /* Name of the ServiceAccount, Role and RoleBinding of the Job that waits for KAITO. */ -}}
{{- define "kaito-cluster.await" -}}
await-kaito
{{- end -}}

{{- /* Name of the Job. A Job is immutable, so the name contains a hash of its whole specification, labels included. */ -}}
{{- define "kaito-cluster.awaitJob" -}}
{{ include "kaito-cluster.await" . }}-{{ include "kaito-cluster.awaitSpec" . | sha256sum | trunc 6 }}
{{- end -}}

{{- /*
Annotations of the rights. Helm waits for the Job after each installation and upgrade, and then deletes it and its rights.
If the Job fails, it remains for its log until its time to live ends, and Helm deletes the rights: 3.19 and later at
once, earlier ones when they roll back or uninstall, since these events create the rights anew and delete them.
*/ -}}
{{- define "kaito-cluster.awaitRights" -}}
helm.sh/hook: post-install,post-upgrade,post-rollback,post-delete
helm.sh/hook-weight: "0"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "kaito-cluster.awaitSpec" -}}
backoffLimit: 2
activeDeadlineSeconds: {{ add .Values.awaitKaito.seconds 120 }}
# Of a failed Job, which Helm does not delete.
ttlSecondsAfterFinished: 3600
template:
  metadata:
    labels:
      {{- include "kaito-cluster.labels" . | nindent 6 }}
  spec:
    {{- include "kaito-cluster.awaitPod" . | nindent 4 }}
{{- end -}}

{{- define "kaito-cluster.awaitPod" -}}
restartPolicy: Never
serviceAccountName: {{ include "kaito-cluster.await" . }}
automountServiceAccountToken: true
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: wait
    image: {{ include "kaito-cluster.image" .Values.awaitKaito.image | quote }}
    command: [python, -m, kaito_chat.await_kaito]
    args: [--seconds, {{ .Values.awaitKaito.seconds | quote }}]
    resources:
      requests: {cpu: 50m, memory: 128Mi}
      limits: {memory: 256Mi}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    volumeMounts:
      - name: tmp
        mountPath: /tmp
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
{{- end -}}
