{{- /* Name of the ServiceAccount, Role and RoleBinding of the Job that waits for KAITO. */ -}}
{{- define "kaito-cluster.await" -}}
await-kaito
{{- end -}}

{{- /* Name of the Job. A Job is immutable, so the name contains a hash of its pod. */ -}}
{{- define "kaito-cluster.awaitJob" -}}
{{ include "kaito-cluster.await" . }}-{{ include "kaito-cluster.awaitPod" . | sha256sum | trunc 6 }}
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
