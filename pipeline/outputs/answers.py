"""What is no file of a run: rows, answers, what commands show, events."""

from __future__ import annotations

from pipeline.outputs.output import Audience, Disclosure, Output, Within

STORE = (
    Output(
        "release of the store's tables",
        Audience.RESULTS,
        Disclosure.NONE,
        "SQL",
        Within.STORE,
        ("alembic_version",),
        "pipeline.store.migrate",
    ),
    *(
        Output(
            f"rows of {table}",
            Audience.RESULTS,
            Disclosure.PUBLIC,
            "SQL",
            Within.STORE,
            (table,),
            "pipeline.store.writer",
        )
        for table in (
            "runs",
            "outcomes",
            "stages",
            "stage_rows",
            "models",
            "task_verdicts",
            "metrics",
            "between_groups",
            "predicted_risks",
            "validations",
            "validation_estimates",
            "monitorings",
            "monitored_values",
            "monitored_drift",
            "monitored_alarms",
            "registry_entries",
            "model_stages",
            "calibration",
            "referral",
            "suppressed_groups",
            "thresholds",
            "comparisons",
            "blessing_reasons",
            "titles",
            "gate_findings",
            "trial_progress",
        )
    ),
)
"""Tables of the store, each by itself: the role of boards may read them all."""

PREDICTIONS = (
    Output(
        "files of the prediction log",
        Audience.OWNER,
        Disclosure.PATIENT,
        "Parquet",
        Within.PREDICTION_LOG,
        (
            "<study>/<day>/score-<run>.parquet",
            "<study>/<day>/serve-<batch>.parquet",
            "<study>/outcomes/<fingerprint>.parquet",
        ),
        "pipeline.predictions.parquet_log",
    ),
    Output(
        "rows of the prediction log",
        Audience.OWNER,
        Disclosure.PATIENT,
        "SQL",
        Within.PREDICTION_LOG,
        ("predictions.predicted", "predictions.outcomes"),
        "pipeline.predictions.postgres_log",
    ),
    Output(
        "batches and release of the prediction log's tables",
        Audience.OWNER,
        Disclosure.NONE,
        "SQL",
        Within.PREDICTION_LOG,
        ("predictions.batches", "predictions.alembic_version"),
        "pipeline.predictions.postgres_log",
    ),
)
"""What a prediction log holds: nothing, until an address for it is named."""

_V1 = "/v1/models/{model}"
_V2 = "/v2/models/{model}"
_OF_V1 = f"{_V1}/versions/{{version}}"
_OF_V2 = f"{_V2}/versions/{{version}}"

SERVICE = (
    Output(
        "state of the service",
        Audience.PUBLIC,
        Disclosure.NONE,
        "JSON",
        Within.SERVICE,
        ("GET /v2", "GET /v2/health/live", "GET /v2/health/ready"),
        "pipeline.service.protocols.open_inference",
    ),
    Output(
        "state of the served model",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "JSON",
        Within.SERVICE,
        (f"GET {_V1}", f"GET {_OF_V1}", f"GET {_V2}/ready", f"GET {_OF_V2}/ready"),
        "pipeline.service.protocols.tensorflow_serving",
    ),
    Output(
        "columns and categories of the served model",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "JSON",
        Within.SERVICE,
        (
            f"GET {_V1}/metadata",
            f"GET {_OF_V1}/metadata",
            f"GET {_V2}",
            f"GET {_OF_V2}",
            "GET /openapi.json",
        ),
        "pipeline.service.about",
    ),
    Output(
        "predictions of what was sent",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "JSON",
        Within.SERVICE,
        (
            "POST /predict",
            f"POST {_V1}:predict",
            f"POST {_OF_V1}:predict",
            f"POST {_V2}/infer",
            f"POST {_OF_V2}/infer",
        ),
        "pipeline.service.answers",
    ),
    Output(
        "page of the service",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "HTML",
        Within.SERVICE,
        ("GET /", "POST /"),
        "pipeline.service.page.page",
    ),
    Output(
        "card of the champion",
        Audience.PUBLIC,
        Disclosure.PUBLIC,
        "HTML",
        Within.SERVICE,
        ("GET /card",),
        "pipeline.service.page.page",
    ),
    Output(
        "metrics of the service",
        Audience.OPERATOR,
        Disclosure.PUBLIC,
        "Prometheus",
        Within.SERVICE,
        ("GET /metrics",),
        "pipeline.service.telemetry",
    ),
)
"""Routes of the prediction service."""

MLFLOW = (
    Output(
        "runs in MLflow",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "JSON over REST",
        Within.MLFLOW,
        ("experiments/create", "runs/create", "runs/log-batch", "runs/update"),
        "pipeline.mlflow.tracking",
    ),
    Output(
        "versions in MLflow",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "JSON over REST",
        Within.MLFLOW,
        (
            "registered-models/create",
            "registered-models/alias",
            "model-versions/create",
            "model-versions/set-tag",
        ),
        "pipeline.mlflow.versions",
    ),
)
"""What an MLflow server gets; questions to it hold names and ids of these alone."""


def _shown(
    name: str,
    audience: Audience,
    disclosure: Disclosure,
    *commands: str,
    written_by: str = "pipeline.cli.commands",
) -> Output:
    """What commands show, which `--json` has as JSON."""
    form = "terminal, JSON"
    return Output(name, audience, disclosure, form, Within.TERMINAL, commands, written_by)


TERMINAL = (
    _shown(
        "progress and result of a run",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "run",
        "validate",
        "score",
        "monitor",
        "retrain",
        "outcomes",
        written_by="pipeline.runners.local.display",
    ),
    _shown(
        "verdict in the store",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "verdict",
        written_by="pipeline.cli.commands.verdict",
    ),
    _shown(
        "models of the registry",
        Audience.OPERATOR,
        Disclosure.PUBLIC,
        *(
            f"models {what}"
            for what in (
                *("list", "show", "compare", "promote", "rollback", "retire", "resume"),
                *("verify", "recover", "mlflow"),
            )
        ),
        written_by="pipeline.cli.models_view",
    ),
    _shown(
        "names of written files",
        Audience.RESULTS,
        Disclosure.NONE,
        *("report", "notebooks", "boards", "compile", "draft study", "draft schema", "synthetic"),
    ),
    _shown(
        "what was done",
        Audience.OPERATOR,
        Disclosure.NONE,
        *("export", "freeze", "store migrate", "predictions prepare", "submit"),
        *("backup", "restore"),
        *("flink up", "flink down"),
    ),
    _shown(
        "how many rows were removed",
        Audience.OWNER,
        Disclosure.INTERNAL,
        *("predictions expire", "predictions forget"),
        written_by="pipeline.cli.commands.predictions",
    ),
    _shown(
        "what was removed of a subject",
        Audience.OWNER,
        Disclosure.INTERNAL,
        "forget",
        written_by="pipeline.cli.commands.forget",
    ),
    _shown(
        "who opened unblinded runs",
        Audience.UNBLINDED,
        Disclosure.NONE,
        "access",
        written_by="pipeline.cli.commands.access",
    ),
    _shown(
        "log of the service",
        Audience.OPERATOR,
        Disclosure.NONE,
        "serve",
        written_by="pipeline.service.server",
    ),
)
"""What commands show."""
