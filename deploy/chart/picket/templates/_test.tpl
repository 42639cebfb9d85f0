{{- define "picket.test.rights" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "picket.test.resources" -}}
requests:
  cpu: 10m
  memory: 16Mi
limits:
  memory: 64Mi
{{- end }}

{{/* One that asks the collector, as the subscriber of the test. */}}
{{- define "picket.test.container" -}}
env:
  - name: PICKET_SERVER
    value: https://{{ include "picket.host" . }}:7400
  - name: PICKET_TLS_CA
    value: /etc/picket-tls/ca.crt
  - name: PICKET_TOKEN_FILE
    value: /etc/picket-token/token
securityContext:
  {{- include "picket.test.rights" . | nindent 2 }}
resources:
  {{- include "picket.test.resources" . | nindent 2 }}
volumeMounts:
  - name: tls
    mountPath: /etc/picket-tls
    readOnly: true
  - name: token
    mountPath: /etc/picket-token
    readOnly: true
{{- end }}
