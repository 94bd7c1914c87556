{{- define "labels" -}}
app.kubernetes.io/part-of: clinical-trial-pipeline
{{- end }}

{{- define "selected" -}}
app.kubernetes.io/name: trial-service
{{- end }}

{{- define "settings" -}}
STUDY: {{ .Values.study | quote }}
REGISTRY: {{ .Values.registry | quote }}
AWS_DEFAULT_REGION: {{ .Values.objectStore.region | quote }}
{{- with .Values.objectStore.endpoint }}
AWS_ENDPOINT_URL: {{ . | quote }}
{{- end }}
{{- end }}

{{- /* Other settings are another ConfigMap: a change is a rollout, a rollback finds the old ones. */ -}}
{{- define "settings-name" -}}
trial-service-{{ include "settings" . | sha256sum | trunc 10 }}
{{- end }}
