{{- define "picket.agent.rights" -}}
# agent.Dockerfile says why it is root.
runAsUser: 0
runAsGroup: 0
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
  # Load the programs; compute with pointers in them; attach them to veths.
  add: [BPF, PERFMON, NET_ADMIN]
{{- end }}

{{- define "picket.agent.resources" -}}
{{- $resources := .Values.agent.resources -}}
{{- $slots := int .Values.agent.slots -}}
requests:
  cpu: {{ $resources.cpu.request }}
  memory: {{ $resources.memory.request | default (printf "%dMi" (add 48 (div (add $slots 15) 16))) }}
limits:
  memory: {{ $resources.memory.limit | default (printf "%dMi" (add 128 (div (add $slots 1) 2))) }}
{{- end }}
