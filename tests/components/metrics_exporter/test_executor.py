"""MetricsExporter: what it hands over, and that no store's fault undoes a run."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tfx.types import channel_utils, standard_artifacts
from tfx.types.artifact import Artifact

from components.artifact_types import (
    GateFindings,
    ModelRegistration,
    ModelVerdict,
    ProgressSummary,
    StoreExport,
    TrialRejects,
)
from components.metrics_exporter.component import MetricsExporter
from components.metrics_exporter.executor import Executor
from components.metrics_exporter.settings import MetricsExporterSettings
from pipeline.names import KUBEFLOW, LOCAL
from pipeline.runs.stage_record import StageRecord
from pipeline.store.export import export_stage
from pipeline.store.pending import read_export
from pipeline.store.writer import ATTEMPTS_VARIABLE, export
from pipeline.study.load import parse_study
from tests.death_study import NUMBER_AT_BASELINE, TEXT_AFTER, TEXT_AT_BASELINE, death_study

STUDY = parse_study(
    death_study(
        {"USUBJID": TEXT_AT_BASELINE, "AGE": NUMBER_AT_BASELINE, "DIED": TEXT_AFTER},
        slicing={"smallest_group": 10, "by": {}},
    ),
    "the test",
)
AUC = {  # type: ignore[var-annotated]
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
DOCUMENTS: dict[str, dict[str, Any]] = {
    "rejects": {
        "counts.json": {
            "datasets": {"dm": {"rows_in": 70, "used": 60, "excluded": 8, "rejected": 2}},
            "subjects": {"train": 36, "eval": 12, "test": 12},
            "tasks": {},
        }
    },
    "findings": {"findings.json": [{"rule": "drift", "severity": "warn", "message": "AGE drifts"}]},
    "verdict": {
        "metrics.json": {"smallest_group": 10, "records": [AUC], "suppressed": []},
        "verdict.json": {
            "blessed": True,
            "judged": False,
            "compared": 0,
            "comparisons": [],
            "reasons": [],
            "not_judged": [],
            "notes": [],
        },
        "curves.json": {"curves": []},
    },
    "registration": {"registration.json": {"registered": True, "reason": None}},
    "summary": {"summary.json": {"smallest_group": 10, "records": [], "absent": []}},
}
NO_SERVER = "postgresql://trial_writer@127.0.0.1:1/trial"


class Execution:
    """One execution of the component on documents made by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = f"sqlite:///{folder / 'store.sqlite'}"
        self.export = self._artifact(StoreExport(), "export")
        self.inputs = {
            "examples": self._artifact(standard_artifacts.Examples(), "examples"),
            "rejects": self._artifact(TrialRejects(), "rejects"),
            "findings": self._artifact(GateFindings(), "findings"),
            "verdict": self._artifact(ModelVerdict(), "verdict"),
            "registration": self._artifact(ModelRegistration(), "registration"),
            "summary": self._artifact(ProgressSummary(), "summary"),
        }
        self.inputs["examples"].set_string_custom_property("fingerprint", "data-1")
        for name, documents in DOCUMENTS.items():
            for file, content in documents.items():
                (folder / name / file).write_text(json.dumps(content))
        (folder / "dm.csv").write_text("USUBJID,AGE,DIED\n")

    def _artifact(self, artifact: Artifact, name: str) -> Artifact:
        artifact.uri = str(self.folder / name)
        Path(artifact.uri).mkdir()
        return artifact

    def execute(self, **changes: Any) -> dict[str, Any]:
        parameters = {
            "settings": MetricsExporterSettings.of(STUDY).to_json(),
            "store": self.store,
            "run_id": "r1",
            "runner": LOCAL,
            "started_by": "every-monday",
            "seed": 7,
            "steps": 50,
            "data_root": str(self.folder),
        }
        Executor().Do(
            {key: [artifact] for key, artifact in self.inputs.items()},
            {"export": [self.export]},
            parameters | changes,
        )
        content: dict[str, Any] = json.loads((Path(self.export.uri) / "export.json").read_text())
        return content

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        file = self.store.removeprefix("sqlite:///")
        with sqlite3.connect(file) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def execution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Execution:
    monkeypatch.setenv(ATTEMPTS_VARIABLE, "1")
    return Execution(tmp_path)


def test_what_the_stages_wrote_is_in_the_store(execution: Execution) -> None:
    said = execution.execute(runner=KUBEFLOW)

    assert (said["status"], said["reason"], said["pending"]) == ("done", None, {})
    assert execution.rows("SELECT run, task, metric, value, lower, upper FROM metrics") == [
        ("r1", "death", "auc", 0.8, 0.7, 0.9)
    ]
    assert execution.rows("SELECT blessed, registered FROM models") == [(1, 1)]
    assert execution.rows("SELECT rule FROM gate_findings") == [("drift",)]
    assert execution.rows("SELECT dataset, rejected FROM stage_rows") == [("dm", 2)]


def test_the_local_runner_exports_the_results_with_the_outcome(execution: Execution) -> None:
    """A run that dies after this stage must not leave metrics without an outcome."""
    said = execution.execute()

    assert (said["status"], said["reason"], said["pending"]) == ("with the outcome", None, {})
    assert said["rows"] == 5
    assert not (execution.folder / "store.sqlite").exists()


def test_on_kubeflow_the_run_and_its_outcome_are_exported_too(execution: Execution) -> None:
    execution.execute(runner=KUBEFLOW)

    columns = "run, study, fingerprint, runner, started_by, parameters"
    assert execution.rows(f"SELECT {columns} FROM runs") == [
        ("r1", "hand", "data-1", "kubeflow", "every-monday", '{"seed": 7, "steps": 50}')
    ]
    assert execution.rows("SELECT status FROM outcomes") == [("done",)]


def test_on_kubeflow_a_run_starts_with_its_first_stage(execution: Execution) -> None:
    record = {
        "run": "r1",
        "stage": "RunInputs",
        "status": "done",
        "started": datetime(2026, 3, 1, 12, tzinfo=UTC).isoformat(),
        "seconds": 1.0,
        "peak_memory_mb": 1.0,
        "error": None,
        "rows": [],
    }
    export_stage(execution.store, "hand", StageRecord.model_validate(record))
    execution.execute(runner=KUBEFLOW)

    ((started,),) = execution.rows("SELECT started FROM runs")
    assert started.startswith("2026-03-01 12:00:00")


def test_without_a_store_nothing_is_exported(execution: Execution) -> None:
    assert execution.execute(store="")["status"] == "no store"


def test_a_store_that_is_down_fails_nothing_and_the_rows_can_be_added_later(
    execution: Execution,
) -> None:
    said = execution.execute(store=NO_SERVER, runner=KUBEFLOW)

    assert said["status"] == "pending"
    assert "Nothing was written" in said["reason"]
    left = read_export(execution.export.uri)
    assert left is not None
    assert left.store == NO_SERVER
    export(execution.store, left.pending_rows())
    assert execution.rows("SELECT metric, value FROM metrics") == [("auc", 0.8)]


def test_a_store_of_another_release_fails_nothing(execution: Execution) -> None:
    execution.execute(runner=KUBEFLOW)
    with sqlite3.connect(execution.store.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    assert execution.execute(runner=KUBEFLOW)["status"] == "pending"


def test_the_component_has_one_execution_a_run() -> None:
    """The run's id is a parameter: a cached export would leave the next run out of the store."""

    def channel(artifact: Artifact) -> Any:
        return channel_utils.as_channel([artifact])

    component = MetricsExporter(
        examples=channel(standard_artifacts.Examples()),
        rejects=channel(TrialRejects()),
        findings=channel(GateFindings()),
        verdict=channel(ModelVerdict()),
        registration=channel(ModelRegistration()),
        summary=channel(ProgressSummary()),
        settings=MetricsExporterSettings.of(STUDY),
        store="",
        run_id="r1",
        runner=LOCAL,
        started_by="a_user",
        seed=7,
        steps=50,
        data_root="data",
    )

    assert component.exec_properties["run_id"] == "r1"
    assert list(component.outputs) == ["export"]
