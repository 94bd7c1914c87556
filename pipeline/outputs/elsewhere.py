"""What is written neither below a root nor as an answer: files that options name, and others."""

from __future__ import annotations

from pipeline.outputs.output import Audience, Disclosure, Output, Within

CHOSEN = (
    Output(
        "backup",
        Audience.OWNER,
        Disclosure.PATIENT,
        "what registry, `<registry>-subjects`, store, metadata and prediction log hold",
        Within.CHOSEN,
        ("backup TARGET",),
        "pipeline.backup.take",
    ),
    Output(
        "predictions of a scoring elsewhere",
        Audience.OWNER,
        Disclosure.PATIENT,
        "Parquet or CSV",
        Within.CHOSEN,
        ("score --out",),
        "pipeline.results.scored_output",
    ),
    Output(
        "list of forgotten subjects elsewhere",
        Audience.OWNER,
        Disclosure.PATIENT,
        "JSON: digests of pseudonyms",
        Within.CHOSEN,
        ("forget --forgotten",),
        "pipeline.runs.forgotten",
    ),
    Output(
        "page of boards elsewhere",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "HTML",
        Within.CHOSEN,
        ("boards --out",),
        "grafana.page.write_boards",
    ),
    Output(
        "compiled packages",
        Audience.OPERATOR,
        Disclosure.NONE,
        "YAML, JSON",
        Within.CHOSEN,
        ("compile --out",),
        "pipeline.runners.kubeflow.write_packages",
    ),
    Output(
        "drafted study file",
        Audience.DATA,
        Disclosure.INTERNAL,
        "YAML",
        Within.CHOSEN,
        ("draft study --out",),
        "pipeline.draft.study",
    ),
    Output(
        "drafted schema",
        Audience.DATA,
        Disclosure.INTERNAL,
        "text of a protocol buffer",
        Within.CHOSEN,
        ("draft schema --out",),
        "pipeline.draft.schema",
    ),
    Output(
        "synthetic trial elsewhere",
        Audience.PUBLIC,
        Disclosure.NONE,
        "SAS transport, Parquet, JSON",
        Within.CHOSEN,
        ("synthetic --out",),
        "pipeline.synthetic.write",
    ),
)
"""What commands write where an option says, by command and option."""

ELSEWHERE = (
    Output(
        "subject key",
        Audience.OWNER,
        Disclosure.SECRET,
        "text",
        Within.CHECKOUT,
        (".secrets/subject_key",),
        "pipeline.subject_key",
    ),
    Output(
        "JSON Schemas",
        Audience.PUBLIC,
        Disclosure.NONE,
        "JSON",
        Within.CHECKOUT,
        ("docs/schemas/<name>.schema.json", "schema/study-file.schema.json"),
        "pipeline.schemas",
    ),
    Output(
        "boards and alerts of Grafana, rules of Prometheus",
        Audience.PUBLIC,
        Disclosure.NONE,
        "JSON, YAML",
        Within.CHECKOUT,
        (
            "grafana/dashboards/<board>.json",
            "grafana/provisioning/**",
            "grafana/retraining/**",
            "grafana/prometheus/*.yaml",
        ),
        "grafana.boards.generate",
    ),
    Output(
        "traceback of a command",
        Audience.OWNER,
        Disclosure.PATIENT,
        "text",
        Within.MACHINE,
        ("trial-*.log",),
        "pipeline.cli.main",
    ),
)
"""What is written neither below a root nor where a person says."""

KUBEFLOW = (
    Output(
        "page of a run in Kubeflow",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "HTML, Markdown, tables",
        Within.KUBEFLOW,
        ("artifacts of the types system.*",),
        "components.run_page.executor",
    ),
    Output(
        "log of a task",
        Audience.OWNER,
        Disclosure.PATIENT,
        "JSON lines, with the stage's record; a foreign exception may quote a value",
        Within.KUBEFLOW,
        ("pods of tasks",),
        "pipeline.runners.kubeflow.record",
    ),
)
"""What Kubeflow keeps; artifacts are those of a local run."""

OBSERVED = (
    Output(
        "spans of runs, stages and requests",
        Audience.OPERATOR,
        Disclosure.PUBLIC,
        "OTLP, JSON over HTTP",
        Within.OTLP,
        ("/v1/traces",),
        "pipeline.observability.spans",
    ),
    Output(
        "metrics of runs and requests",
        Audience.OPERATOR,
        Disclosure.PUBLIC,
        "OTLP, JSON over HTTP",
        Within.OTLP,
        ("/v1/metrics",),
        "pipeline.observability.spans",
    ),
    Output(
        "lines of a run's log",
        Audience.OPERATOR,
        Disclosure.PUBLIC,
        "OTLP, JSON over HTTP; what this project says, without the text of foreign exceptions",
        Within.OTLP,
        ("/v1/logs",),
        "pipeline.observability.sent_lines",
    ),
)
"""What is sent to a receiver of traces, metrics and logs, where the address of one is set."""

WEBHOOK = (
    Output(
        "whether a model is trained again",
        Audience.OPERATOR,
        Disclosure.PUBLIC,
        "JSON",
        Within.WEBHOOK,
        ("GET /health", "POST /retrain"),
        "pipeline.retraining.webhook",
    ),
)
"""Routes of the webhook of `trial retrain --listen`."""
