{{- define "labels" -}}
app.kubernetes.io/part-of: clinical-trial-pipeline
{{- end }}

{{- define "settings" -}}
STUDY: {{ .Values.study | quote }}
REGISTRY: {{ .Values.registry | quote }}
AWS_DEFAULT_REGION: {{ .Values.objectStore.region | quote }}
{{- with .Values.objectStore.endpoint }}
AWS_ENDPOINT_URL: {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.options }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* Other settings are another ConfigMap, and Helm keeps the old one: a change is a rollout, pods
       of before it can still start, a rollback finds the old ones. */ -}}
{{- define "settings-name" -}}
trial-service-{{ include "settings" . | sha256sum | trunc 10 }}
{{- end }}
