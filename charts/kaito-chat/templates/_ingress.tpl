{{- /*
Differences between the ways of publishing, in one place:

| | nginx (F5's controller) | webapprouting (app routing's NGINX) | gateway (app routing's Istio) |
|---|---|---|---|
| object | Ingress | Ingress | HTTPRoute of a Gateway that exists |
| class | nginx | webapprouting.kubernetes.azure.com | of the Gateway: approuting-istio |
| timeouts | annotations with units | annotations in seconds | HTTPRoute timeouts |
| affinity, body size, allow-list, basic authentication | yes | yes | none of them |
| TLS | cert-manager through an annotation | as nginx | the Gateway's listener |

The application speaks WebSocket only, so a page's questions stay with one pod in every mode. The buttons under an
answer send HTTP requests, which can reach another pod without affinity; the page then shows an error.
*/ -}}

{{- /* Not empty if the mode uses Ingress objects. */ -}}
{{- define "kaito-chat.isIngress" -}}
{{- if has .Values.ingress.mode (list "nginx" "webapprouting") -}}yes{{- end -}}
{{- end -}}

{{- define "kaito-chat.ingressClass" -}}
{{- default (ternary "nginx" "webapprouting.kubernetes.azure.com" (eq .Values.ingress.mode "nginx")) .Values.ingress.className -}}
{{- end -}}

{{- /* TLS Secret of the chat: an existing one, or the one that cert-manager writes. */ -}}
{{- define "kaito-chat.tlsSecret" -}}
{{- default (printf "%s-tls" (include "kaito-chat.chat" .)) .Values.ingress.tls.secretName -}}
{{- end -}}

{{- /* TLS Secret of a model's own endpoint, which cert-manager writes. */ -}}
{{- define "kaito-chat.modelTlsSecret" -}}
{{- with get .Values.model "name" -}}
{{- printf "%s-model-%s-tls" (include "kaito-chat.fullname" $) . -}}
{{- else -}}
{{- printf "%s-model-tls" (include "kaito-chat.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- /* Name of the F5 Policy for an allow-list, empty in other modes: F5's Ingress annotations have no allow-list. */ -}}
{{- define "kaito-chat.policyOf" -}}
{{- if and (eq .root.Values.ingress.mode "nginx") .allowedCidrs -}}{{ .service }}-allowed{{- end -}}
{{- end -}}

{{- /*
Annotations of one Ingress. Takes a dict: root, service, and the features of the controller to use: websocket, affinity,
maxBodySizeMib, allowedCidrs, basicAuthSecret, buffering.
*/ -}}
{{- define "kaito-chat.ingressAnnotations" -}}
{{- $ingress := .root.Values.ingress -}}
{{- $found := dict -}}
{{- if and $ingress.tls.enabled $ingress.tls.clusterIssuer -}}
{{- $_ := set $found "cert-manager.io/cluster-issuer" $ingress.tls.clusterIssuer -}}
{{- end -}}
{{- if eq $ingress.mode "nginx" -}}
{{- $seconds := printf "%ds" (int $ingress.idleTimeoutSeconds) -}}
{{- $_ := set $found "nginx.org/proxy-read-timeout" $seconds -}}
{{- $_ := set $found "nginx.org/proxy-send-timeout" $seconds -}}
{{- $_ := set $found "nginx.org/proxy-buffering" "False" -}}
{{- /* F5's controller accepts one Ingress per host, so cert-manager solves the HTTP-01 challenge in this one. The
   controller redirects the challenge to HTTPS and refuses TLS without a certificate: issue a temporary one. */ -}}
{{- if and $ingress.tls.enabled $ingress.tls.clusterIssuer -}}
{{- $_ := set $found "acme.cert-manager.io/http01-edit-in-place" "true" -}}
{{- $_ := set $found "cert-manager.io/issue-temporary-certificate" "true" -}}
{{- end -}}
{{- if .websocket }}{{ $_ := set $found "nginx.org/websocket-services" .service }}{{ end -}}
{{- if .affinity }}{{ $_ := set $found "nginx.org/sticky-cookie-services" (printf "serviceName=%s kaito_chat_pod path=%s httponly" .service (include "kaito-chat.path" .root)) }}{{ end -}}
{{- with .maxBodySizeMib }}{{ $_ := set $found "nginx.org/client-max-body-size" (printf "%dm" (int .)) }}{{ end -}}
{{- with .basicAuthSecret }}{{ $_ := set $found "nginx.org/basic-auth-secret" . }}{{ end -}}
{{- with include "kaito-chat.policyOf" . }}{{ $_ := set $found "nginx.org/policies" . }}{{ end -}}
{{- else -}}
{{- $seconds := toString (int $ingress.idleTimeoutSeconds) -}}
{{- $_ := set $found "nginx.ingress.kubernetes.io/proxy-read-timeout" $seconds -}}
{{- $_ := set $found "nginx.ingress.kubernetes.io/proxy-send-timeout" $seconds -}}
{{- $_ := set $found "nginx.ingress.kubernetes.io/proxy-buffering" "off" -}}
{{- if .affinity -}}
{{- $_ := set $found "nginx.ingress.kubernetes.io/affinity" "cookie" -}}
{{- $_ := set $found "nginx.ingress.kubernetes.io/session-cookie-name" "kaito_chat_pod" -}}
{{- $_ := set $found "nginx.ingress.kubernetes.io/session-cookie-path" (include "kaito-chat.path" .root) -}}
{{- end -}}
{{- with .maxBodySizeMib }}{{ $_ := set $found "nginx.ingress.kubernetes.io/proxy-body-size" (printf "%dm" (int .)) }}{{ end -}}
{{- with .allowedCidrs }}{{ $_ := set $found "nginx.ingress.kubernetes.io/whitelist-source-range" (join "," .) }}{{ end -}}
{{- with .basicAuthSecret -}}
{{- $_ := set $found "nginx.ingress.kubernetes.io/auth-type" "basic" -}}
{{- $_ := set $found "nginx.ingress.kubernetes.io/auth-secret" . -}}
{{- end -}}
{{- end -}}
{{- merge (deepCopy (default dict $ingress.annotations)) $found | toYaml -}}
{{- end -}}

{{- /* Refuse values that the mode does not support, or that it lacks. */ -}}
{{- define "kaito-chat.ingressChecks" -}}
{{- $ingress := .Values.ingress -}}
{{- $given := toString (get (default dict .Values.chat.settings) "KAITO_CHAT_PUBLIC_URL" | default "") | trimSuffix "/" -}}
{{- $path := include "kaito-chat.rootPath" . -}}
{{- $url := include "kaito-chat.url" . -}}
{{- if and $ingress.host $given (not (has $given (list $url (trimSuffix $path $url)))) -}}
{{- fail (printf "chat.settings.KAITO_CHAT_PUBLIC_URL is %s, but ingress.host, ingress.tls.enabled and chat.settings.KAITO_CHAT_ROOT_PATH make it %s, and the application refuses every other origin. Leave it out." $given $url) -}}
{{- end -}}
{{- if and $given (not (has (regexReplaceAll "^https?://[^/]*" $given "") (list "" $path))) -}}
{{- fail (printf "chat.settings.KAITO_CHAT_PUBLIC_URL is %s, whose path differs from chat.settings.KAITO_CHAT_ROOT_PATH. Give both the same path, or the first none." $given) -}}
{{- end -}}
{{- if $path -}}
{{- range list "nginx.ingress.kubernetes.io/rewrite-target" "nginx.org/rewrites" "nginx.org/rewrite-target" -}}
{{- if hasKey (default dict $ingress.annotations) . -}}
{{- fail (printf "ingress.annotations.%s removes the path of chat.settings.KAITO_CHAT_ROOT_PATH, under which the application answers. Leave out one of them." .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (ne $ingress.mode "none") (not $ingress.host) -}}
{{- fail (printf "ingress.mode %s needs ingress.host." $ingress.mode) -}}
{{- end -}}
{{- if eq $ingress.mode "gateway" -}}
{{- if not $ingress.gateway.name -}}
{{- fail "ingress.mode gateway needs ingress.gateway.name: the Gateway that has the listener for ingress.host." -}}
{{- end -}}
{{- if $ingress.affinityEnabled -}}
{{- fail "ingress.affinityEnabled: the Gateway API has no session affinity with approuting-istio. Leave it null, or choose ingress.mode nginx." -}}
{{- end -}}
{{- if not (kindIs "invalid" $ingress.maxBodySizeMib) -}}
{{- fail "ingress.maxBodySizeMib: the Gateway API has no limit of body sizes. Leave it null, or choose ingress.mode nginx." -}}
{{- end -}}
{{- if $ingress.allowedCidrs -}}
{{- fail "ingress.allowedCidrs: the Gateway API has no allow-list. Leave it empty, or choose ingress.mode nginx." -}}
{{- end -}}
{{- if and $ingress.tls.enabled (or $ingress.tls.clusterIssuer $ingress.tls.secretName) -}}
{{- fail "ingress.tls.clusterIssuer and ingress.tls.secretName belong to an Ingress: with ingress.mode gateway, the Gateway's listener has the certificate. Leave both empty." -}}
{{- end -}}
{{- end -}}
{{- if and (include "kaito-chat.isIngress" .) $ingress.tls.enabled (not $ingress.tls.clusterIssuer) (not $ingress.tls.secretName) -}}
{{- fail "ingress.tls.enabled needs ingress.tls.clusterIssuer, which issues a certificate, or ingress.tls.secretName, which contains one." -}}
{{- end -}}
{{- $hosts := list $ingress.host -}}
{{- range prepend (get .Values.model "resolved").models . -}}
{{- $path := include "kaito-chat.modelPath" . -}}
{{- $endpoint := .Values.model.ingress -}}
{{- if $endpoint.enabled -}}
{{- if not .Values.model.enabled -}}
{{- fail (printf "%s.ingress.enabled needs %s.enabled: there is no model of this release to publish." $path $path) -}}
{{- end -}}
{{- if not (include "kaito-chat.isIngress" .) -}}
{{- fail (printf "%s.ingress.enabled needs ingress.mode nginx or webapprouting: with %s nothing checks a password or addresses, and the model answers every client." $path $ingress.mode) -}}
{{- end -}}
{{- if not $endpoint.host -}}
{{- fail (printf "%s.ingress.enabled needs %s.ingress.host." $path $path) -}}
{{- end -}}
{{- if has $endpoint.host $hosts -}}
{{- fail (printf "%s.ingress.host must differ from ingress.host, and from those of other models." $path) -}}
{{- end -}}
{{- $hosts = append $hosts $endpoint.host -}}
{{- if not (or $endpoint.basicAuthSecret $endpoint.allowedCidrs) -}}
{{- fail (printf "%s.ingress.enabled needs %s.ingress.basicAuthSecret or %s.ingress.allowedCidrs: the model's endpoint has no authentication." $path $path $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
