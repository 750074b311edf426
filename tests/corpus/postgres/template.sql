{{- if .Partitioned }}
CREATE TABLE {{ .Prefix }}trips (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
{{- else }}
CREATE TABLE {{ .Prefix }}trips (id bigint NOT NULL, day date NOT NULL);
{{- end }}
INSERT INTO {{ .Prefix }}trips VALUES (1, '2020-01-01');
