{{/* What each value allows by itself, and not with another. */}}
{{- define "picket.refuse" -}}
{{- $collector := .Values.collector -}}
{{- $certificates := .Values.certificates -}}
{{- $together := eq .Values.agent.namespace .Release.Namespace -}}
{{- if and (gt (int $collector.replicas) 1) (not $collector.database.urlSecret) -}}
{{- fail (printf "collector.replicas is %d, but SQLite is a file that one process writes: name a Secret with the URL of a PostgreSQL in collector.database.urlSecret, or set collector.replicas to 1" (int $collector.replicas)) -}}
{{- end -}}
{{- if and (eq $certificates.source "self-made") $certificates.clients -}}
{{- fail "certificates.clients takes an authority that can sign certificates of clients, and the key of the self-made one is thrown away: set certificates.source to cert-manager or existing" -}}
{{- end -}}
{{- if and $certificates.revocations (not $certificates.clients) -}}
{{- fail "certificates.revocations is for certificates of clients: set certificates.clients to true too" -}}
{{- end -}}
{{- if and $certificates.revocations (ne $certificates.source "existing") -}}
{{- fail "certificates.revocations takes a ca.crl in the Secret, which only certificates.source existing has" -}}
{{- end -}}
{{- if and .Values.agent.paths.certificates (not $certificates.clients) -}}
{{- fail "agent.paths.certificates gives the agents certificates, which the collector believes only with certificates.clients set to true" -}}
{{- end -}}
{{- $issuer := $certificates.certManager.issuer -}}
{{- if and (eq $certificates.source "cert-manager") (not $certificates.authorityConfigMap) (not $together) (or (not $issuer.name) (ne $issuer.kind "ClusterIssuer")) -}}
{{- fail (printf "agents in the namespace %s cannot know who signs a certificate in %s: name a ClusterIssuer in certificates.certManager.issuer, or a ConfigMap with its ca.crt in certificates.authorityConfigMap, or set agent.namespace to %s" .Values.agent.namespace .Release.Namespace .Release.Namespace) -}}
{{- end -}}
{{- $operators := .Values.agent.operators.authorityConfigMap -}}
{{- if and $operators (eq $certificates.source "cert-manager") (eq $operators $certificates.authorityConfigMap) -}}
{{- fail (printf "agent.operators.authorityConfigMap is %s, with the issuer of the collector's certificate: whoever may ask it for a certificate would be obeyed as an operator; name a ConfigMap with an authority for operators alone" $operators) -}}
{{- end -}}
{{- range $collector.subscribers -}}
{{- if and .certificate (not $certificates.clients) -}}
{{- fail (printf "collector.subscribers: %s shows a certificate, which the collector believes only with certificates.clients set to true" .name) -}}
{{- end -}}
{{- end -}}
{{- end }}
