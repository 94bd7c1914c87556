"""A run made by hand: two tasks, one slicing, a group that is too small."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import create_engine, text

from pipeline.names import LOCAL
from pipeline.results.documents import Curves, Metrics, Verdict
from pipeline.results.findings import Findings
from pipeline.results.registration import Registration
from pipeline.runs.stage_record import StageRecord
from pipeline.store.engine import store_url
from pipeline.store.export import RunFacts, outcome_rows
from pipeline.store.exported_study import ExportedStudy
from pipeline.store.rows import Rows, evaluation_rows, finding_rows, joined, stage_rows
from pipeline.store.writer import export
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from tests.death_study import NUMBER_AT_BASELINE, TEXT_AFTER, TEXT_AT_BASELINE, death_study

STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


AUC_AT_LEAST = {"metric": "auc", "at_least": 0.7}


def study(*thresholds: dict[str, Any]) -> Study:
    """A study with what it demands; by default one threshold for each task."""
    return parse_study(
        death_study(
            {
                "USUBJID": TEXT_AT_BASELINE,
                "AGE": NUMBER_AT_BASELINE,
                "SEX": TEXT_AT_BASELINE,
                "DIED": TEXT_AFTER,
            },
            slicing={"smallest_group": 10, "by": {"sex": {"column": "SEX"}}},
            thresholds=list(thresholds or [AUC_AT_LEAST]),
        ),
        "the test",
    )


def record(**changes: Any) -> dict[str, Any]:
    """A record of metrics.json."""
    content: dict[str, Any] = {
        "task": "death",
        "slice": {},
        "metric": "auc",
        "decision_threshold": None,
        "model": "challenger",
        "value": 0.8,
        "lower": 0.7,
        "upper": 0.9,
        "subjects": 60,
        "positives": 20,
    }
    return content | changes


def metrics(*more: dict[str, Any]) -> Metrics:
    """All subjects and women are shown; men are too few."""
    return Metrics.model_validate(
        {
            "smallest_group": 10,
            "records": [
                record(),
                record(metric="specificity", decision_threshold=0.5, value=0.6),
                record(metric="auc", model="champion", value=0.75),
                record(slice={"sex": "F"}, value=0.82, subjects=30, positives=9),
                *more,
            ],
            "suppressed": [
                {"task": "death", "slice": {"sex": "M"}, "reason": "too_small"},
                {"task": "death", "slice": {"sex": "U"}, "reason": "complementary"},
            ],
        }
    )


def comparison(**changes: Any) -> dict[str, Any]:
    """A comparison of verdict.json; it passes."""
    content: dict[str, Any] = {
        "threshold": 0,
        "model": "challenger",
        "task": "death",
        "slice": {},
        "metric": "auc",
        "decision_threshold": None,
        "side": "at_least",
        "limit": 0.7,
        "holds": "point",
        "value": 0.8,
        "outcome": "passes",
        "reason": "within_limit",
        "message": "",
    }
    return content | changes


FAILED = {"outcome": "fails", "reason": "beyond_limit", "message": "death: too low"}


def verdict(blessed: bool = True, *more: dict[str, Any]) -> Verdict:
    """Of a model that is blessed, or failed a threshold; the champion passes.

    Args:
        blessed: Whether it is.
        more: Further comparisons.
    """
    overall = comparison() if blessed else comparison(**FAILED)
    reason = record() | {"message": "death: too low", "threshold": {"metric": "auc", "at_least": 1}}
    return Verdict.model_validate(
        {
            "blessed": blessed,
            "judged": True,
            "compared": 1,
            "comparisons": [overall, comparison(model="champion", value=0.75), *more],
            "reasons": [] if blessed else [reason],
            "not_judged": [],
            "notes": [],
        }
    )


def curves() -> Curves:
    """One curve with one bin."""
    item = {"mean_prediction": 0.3, "observed_rate": 0.33, "lower": 0.2, "upper": 0.5}
    curve = record() | {"calibration": [item | {"subjects": 60}], "roc": [], "confusion": []}
    return Curves.model_validate({"curves": [curve]})


def findings() -> Findings:
    """One feature drifts, and 2 of the 70 rows of a dataset are rejected."""
    drift = {"rule": "drift", "severity": "warn", "message": "AGE drifts", "feature": "AGE"}
    rejects = {"rule": "rejects", "severity": "warn", "message": "2 rows", "dataset": "dm"}
    return Findings.model_validate(
        [drift | {"value": 0.2, "limit": 0.1}, rejects | {"value": 2 / 70, "limit": 0.02}]
    )


def stage(run: str, **changes: Any) -> dict[str, Any]:
    """A stage's run record."""
    content: dict[str, Any] = {
        "run": run,
        "stage": "TrialExampleGen",
        "status": "done",
        "started": STARTED.isoformat(),
        "seconds": 1.5,
        "peak_memory_mb": 500.0,
        "error": None,
        "exception": None,
        "rows": [{"dataset": "dm", "rows_in": 70, "used": 60, "excluded": 8, "rejected": 2}],
        "findings": [],
        "versions": {"clinical-trial-pipeline": "0.1.0"},
    }
    return content | changes


def run_rows(
    run: str,
    *more: dict[str, Any],
    blessed: bool = True,
    thresholds: Sequence[dict[str, Any]] = (),
    comparisons: Sequence[dict[str, Any]] = (),
) -> Rows:
    """All rows of a run that is done.

    Args:
        run: Its id.
        more: Further records of metrics.json.
        blessed: Whether its model is blessed.
        thresholds: What its study demands.
        comparisons: Further comparisons of verdict.json.
    """
    facts = RunFacts(
        run=run,
        study=ExportedStudy.of(study()),
        started=STARTED,
        runner=LOCAL,
        started_by="a_user",
        code_version="0.1.0",
        fingerprint="f" * 64,
        data_modified=STARTED,
        parameters={"seed": 1},
    )
    registration = Registration(registered=blessed, reason=None)
    return joined(
        facts.rows(),
        evaluation_rows(
            run,
            ExportedStudy.of(study(*thresholds)),
            metrics(*more),
            verdict(blessed, *comparisons),
            curves(),
            registration,
        ),
        finding_rows(run, findings()),
        stage_rows([StageRecord.model_validate(stage(run))]),
        outcome_rows(run, "done", STARTED),
    )


def counts(address: str) -> dict[str, int]:
    """Rows of each table, without the revision's."""
    with create_engine(store_url(address)).connect() as connection:
        if connection.dialect.name == "sqlite":
            names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        else:
            names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        tables = [name for (name,) in connection.execute(text(names)) if "alembic" not in name]
        return {
            name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
            for name in tables
        }


def add_run(address: str, run: str) -> None:
    """Exports a run; for a process of its own."""
    export(address, run_rows(run))
