{{- /* Namespace of the ingress controller; empty for any namespace. */ -}}
{{- define "kaito-chat.controllerNamespace" -}}
{{- if .Values.networkPolicy.ingressControllerNamespace -}}
{{ .Values.networkPolicy.ingressControllerNamespace }}
{{- else if eq .Values.ingress.mode "webapprouting" -}}
app-routing-system
{{- else if eq .Values.ingress.mode "gateway" -}}
{{- /* Istio runs a Gateway's proxy in the Gateway's own namespace. */ -}}
{{ default .Release.Namespace .Values.ingress.gateway.namespace }}
{{- end -}}
{{- end -}}

{{- /* Not empty if the chat may connect to PostgreSQL: its address is in a setting, or in a Secret that the chart cannot read. */ -}}
{{- define "kaito-chat.hasHistory" -}}
{{- if or (hasPrefix "postgresql" (toString (get (default dict .Values.chat.settings) "KAITO_CHAT_DATABASE_URL"))) .Values.networkPolicy.postgresqlCidr (hasKey (default dict .Values.chat.keyVault.secrets) "KAITO_CHAT_DATABASE_URL") .Values.chat.existingSecret -}}yes{{- end -}}
{{- end -}}

{{- /*
Endpoints that the application calls besides its own model: additional models and the OTLP collector. For each, the URL,
and the port of the pods if it is a Service whose pods listen on another port.
*/ -}}
{{- define "kaito-chat.endpoints" -}}
{{- $found := dict -}}
{{- range $index, $model := .Values.chat.models -}}
{{- range $number, $url := prepend (default list $model.replicaUrls) $model.endpointUrl -}}
{{- $name := printf "model %d%s" (add1 $index) (ternary "" (printf ", replica %d" $number) (eq $number 0)) -}}
{{- $_ := set $found $name (dict "url" $url "podPort" $model.podPort "of80" 5000) -}}
{{- end -}}
{{- end -}}
{{- with get (default dict .Values.chat.settings) "OTEL_EXPORTER_OTLP_ENDPOINT" -}}
{{- $policy := $.Values.networkPolicy -}}
{{- /* Values of a chart that opened a namespace still apply with helm upgrade --reuse-values. */ -}}
{{- $former := ternary $policy.otlpPort nil (not (empty $policy.otlpNamespace)) -}}
{{- $_ := set $found "OTLP collector" (dict "url" . "podPort" (default $former $policy.collectorPodPort)) -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- /*
Destination of a URL: a port, and for a Service of this cluster its namespace. A policy's ports are those of the pods,
which a Service's URL does not contain: `podPort` sets it; the default is the URL's port, or `of80` for port 80 (KAITO's
Services forward it to 5000). Takes url, root, podPort and of80.
*/ -}}
{{- define "kaito-chat.place" -}}
{{- $scheme := splitList "://" .url | first -}}
{{- $host := regexReplaceAll "^[a-z]+://([^@/]*@)?([^/?]*).*$" .url "${2}" | lower -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" | default (get (dict "https" "443" "postgresql" "5432") $scheme) | default "80" -}}
{{- $host = regexReplaceAll ":[0-9]+$" $host "" -}}
{{- $service := regexReplaceAll "[.]svc([.]cluster[.]local)?$" $host "" -}}
{{- $namespace := "" -}}
{{- if regexMatch "^[-a-z0-9]+$" $host -}}
{{- $namespace = .root.Release.Namespace -}}
{{- else if and (ne $service $host) (regexMatch "^[-a-z0-9]+([.][-a-z0-9]+)+$" $service) -}}
{{- $namespace = splitList "." $service | last -}}
{{- end -}}
{{- if $namespace -}}
{{- if and .of80 (eq $port "80") }}{{ $port = toString .of80 }}{{ end -}}
{{- toJson (dict "namespace" $namespace "port" (int (default $port .podPort))) -}}
{{- else -}}
{{- toJson (dict "port" (int $port)) -}}
{{- end -}}
{{- end -}}

{{- /* Destination of the database; with the default port if the URL is a secret or lists several hosts. */ -}}
{{- define "kaito-chat.databasePlace" -}}
{{- $url := toString (get (default dict .Values.chat.settings) "KAITO_CHAT_DATABASE_URL") -}}
{{- $known := regexMatch "^postgresql://[^@/]*@[A-Za-z0-9.-]+(:[0-9]+)?([/?].*)?$" $url -}}
{{- include "kaito-chat.place" (dict "url" (ternary $url "postgresql://0.0.0.0" $known) "root" .) -}}
{{- end -}}

{{- /* Addresses that no pod may reach: Azure's metadata service, which issues tokens of the node's identity, and the host that configures the node. */ -}}
{{- define "kaito-chat.forbidden" -}}
{{- toJson (list "169.254.169.254/32" "168.63.129.16/32") -}}
{{- end -}}

{{- /* Peers of the ingress controller. */ -}}
{{- define "kaito-chat.controllerPeers" -}}
- namespaceSelector:
    {{- with include "kaito-chat.controllerNamespace" . }}
    matchLabels:
      kubernetes.io/metadata.name: {{ . | quote }}
    {{- else }}
    {}
    {{- end }}
{{- end -}}

{{- /* Peers of Prometheus. */ -}}
{{- define "kaito-chat.prometheusPeers" -}}
{{- $labels := include "kaito-chat.monitoringPodLabels" . | fromYamlArray -}}
{{- range $namespace := .Values.networkPolicy.monitoringNamespaces }}
{{- range $labels }}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ $namespace | quote }}
  podSelector:
    matchLabels:
      {{- toYaml . | nindent 6 }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Egress rule for DNS. */ -}}
{{- define "kaito-chat.dnsRule" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
    # AKS's LocalDNS and Kubernetes's node-local cache, which listen on the node
    - ipBlock: {cidr: 169.254.10.0/24}
    - ipBlock: {cidr: 169.254.20.10/32}
  ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end -}}

{{- /* Peers of the API server. */ -}}
{{- define "kaito-chat.apiServerPeers" -}}
{{- if .Values.networkPolicy.apiServerCidr -}}
- {{ include "kaito-chat.ipBlock" (dict "cidr" .Values.networkPolicy.apiServerCidr "name" "networkPolicy.apiServerCidr") }}
{{- else -}}
- {{ include "kaito-chat.outside" . }}
{{- end -}}
{{- end -}}

{{- /* Egress rule for HTTPS outside the cluster and the virtual network, and to private endpoints of Azure's services. */ -}}
{{- define "kaito-chat.httpsRule" -}}
- to:
    - {{- include "kaito-chat.outside" . | fromJson | toYaml | nindent 6 }}
    {{- with .Values.networkPolicy.privateEndpointsCidr }}
    - {{- include "kaito-chat.ipBlock" (dict "cidr" . "name" "networkPolicy.privateEndpointsCidr") | fromJson | toYaml | nindent 6 }}
    {{- end }}
  ports: [{port: 443}]
{{- end -}}

{{- /* An IPv4 address as a number. */ -}}
{{- define "kaito-chat.number" -}}
{{- $number := 0 -}}
{{- range splitList "." . }}{{ $number = add (mul $number 256) (atoi .) }}{{ end -}}
{{- $number -}}
{{- end -}}

{{- /* Not empty if the range `cidr` contains `address`. IPv4 only: no forbidden address is IPv6. */ -}}
{{- define "kaito-chat.contains" -}}
{{- if regexMatch "^[0-9.]+/[0-9]+$" .cidr -}}
{{- $size := 1 -}}
{{- range until (sub 32 (splitList "/" .cidr | last | atoi) | int) }}{{ $size = mul $size 2 }}{{ end -}}
{{- $first := include "kaito-chat.number" (splitList "/" .cidr | first) | int64 -}}
{{- $address := include "kaito-chat.number" .address | int64 -}}
{{- if eq (div $first $size) (div $address $size) -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{- /* ipBlock without the forbidden addresses. Takes cidr, except, and the value's name for the error message. */ -}}
{{- define "kaito-chat.ipBlock" -}}
{{- $cidr := toString .cidr -}}
{{- $except := default list .except -}}
{{- range $each := include "kaito-chat.forbidden" . | fromJsonArray -}}
{{- if include "kaito-chat.contains" (dict "cidr" $cidr "address" (splitList "/" $each | first)) -}}
{{- if hasSuffix "/32" $cidr -}}
{{- fail (printf "%s is %s, an address of Azure's host that exposes the node's identity or configuration. It cannot be opened." $.name $cidr) -}}
{{- end -}}
{{- $except = append $except $each -}}
{{- end -}}
{{- end -}}
{{- $block := dict "cidr" $cidr -}}
{{- with $except }}{{ $_ := set $block "except" (uniq .) }}{{ end -}}
{{- toJson (dict "ipBlock" $block) -}}
{{- end -}}

{{- /* All addresses outside the cluster and the virtual network; link-local ones belong to the node. */ -}}
{{- define "kaito-chat.outside" -}}
{{- $policy := .Values.networkPolicy -}}
{{- $except := concat (list $policy.podCidr $policy.serviceCidr "169.254.0.0/16") (default list $policy.vnetCidrs) -}}
{{- include "kaito-chat.ipBlock" (dict "cidr" "0.0.0.0/0" "except" $except "name" "outside") -}}
{{- end -}}

{{- /* Additional egress rules, their ranges without the forbidden addresses. Takes rules and the value's name. */ -}}
{{- define "kaito-chat.extraEgress" -}}
{{- $rules := list -}}
{{- $name := .name -}}
{{- range .rules -}}
{{- if not .to -}}
{{- fail (printf "%s has a rule without `to`, which opens every address, including Azure's metadata service. Add `to`." $name) -}}
{{- end -}}
{{- $peers := list -}}
{{- range .to -}}
{{- if .ipBlock -}}
{{- $peers = append $peers (include "kaito-chat.ipBlock" (dict "cidr" .ipBlock.cidr "except" .ipBlock.except "name" $name) | fromJson) -}}
{{- else -}}
{{- $peers = append $peers . -}}
{{- end -}}
{{- end -}}
{{- $rules = append $rules (merge (dict "to" $peers) .) -}}
{{- end -}}
{{- toYaml $rules -}}
{{- end -}}

{{- /* Label sets of Prometheus's pods; the default again, for the values of a chart without this value (helm upgrade --reuse-values). */ -}}
{{- define "kaito-chat.monitoringPodLabels" -}}
{{- $agents := list (dict "rsName" "ama-metrics") (dict "dsName" "ama-metrics-node") -}}
{{- default (append $agents (dict "app.kubernetes.io/name" "prometheus")) .Values.networkPolicy.monitoringPodLabels | toYaml -}}
{{- end -}}

{{- /* Labels of the pod of helm test. */ -}}
{{- define "kaito-chat.testSelector" -}}
{{ include "kaito-chat.selector" . }}
app.kubernetes.io/component: test
{{- end -}}
