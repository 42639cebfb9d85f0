{{/*
Objects are called the same in every release: what an agent pins on a node is one of a kind, so two
releases in one cluster would fight over it. Helm refuses the second for its ClusterRole.
*/}}

{{- define "picket.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: picket
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{- define "picket.selector" -}}
app.kubernetes.io/name: {{ . }}
{{- end }}

{{- define "picket.image" -}}
{{- $image := .image -}}
{{- with .root.Values.images.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- $image.name -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "picket.pull" -}}
imagePullPolicy: {{ .Values.images.pullPolicy }}
{{- end }}

{{- define "picket.pullSecrets" -}}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}

{{- define "picket.host" -}}
picket-collector.{{ .Release.Namespace }}.svc
{{- end }}

{{/* Where the agents read who signs the collector's certificate. */}}
{{- define "picket.authority" -}}
{{- $certificates := .Values.certificates -}}
{{- if $certificates.authorityConfigMap -}}
configMap:
  name: {{ $certificates.authorityConfigMap }}
{{- else if eq $certificates.source "cert-manager" -}}
{{- /* Beside the certificate lies its key, which is not for the agents. */ -}}
secret:
  secretName: {{ ternary "picket-collector-tls" "picket-agent-authority" (eq .Values.agent.namespace .Release.Namespace) }}
  items:
    - {key: ca.crt, path: ca.crt}
{{- else -}}
configMap:
  name: picket-ca
{{- end -}}
{{- end }}

{{- define "picket.tlsSecret" -}}
{{- if eq .Values.certificates.source "existing" -}}
{{ .Values.certificates.existing.secret }}
{{- else -}}
picket-collector-tls
{{- end -}}
{{- end }}

{{- define "picket.subscribersSecret" -}}
{{ .Values.collector.subscribersSecret | default "picket-subscribers" }}
{{- end }}

{{/* Whether `helm test` has a subscriber of its own. */}}
{{- define "picket.tested" -}}
{{- if and .Values.test.enabled (not .Values.collector.subscribersSecret) }}yes{{ end -}}
{{- end }}
