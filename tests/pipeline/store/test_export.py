"""Exports of whole runs: done, failed, again, and of stages that are processes of their own."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.names import TRAINING, VALIDATION, RunKind
from pipeline.runs.run_file import RunFile, find_run, read_training_run
from pipeline.runs.stage_record import StageRecord
from pipeline.store.engine import store_url
from pipeline.store.export import export_local_run, export_stage, export_start
from pipeline.store.pending import EXPORT_FILE, ExportFile, by_table
from pipeline.store.writer import export
from tests.pipeline.store.hand_made_store import validation
from tests.pipeline.store.store_runs import (
    STARTED,
    counts,
    curves,
    findings,
    metrics,
    run_rows,
    stage,
    study,
    verdict,
)

VALIDATED = validation().model_dump_json()

COUNTS = {
    "datasets": {"dm": {"rows_in": 70, "used": 60, "excluded": 8, "rejected": 2, "reasons": {}}},
    "subjects": {"train": 36, "eval": 12, "test": 12},
    "tasks": {},
}
PROGRESS = {
    "section": "enrolment",
    "arm": None,
    "site": "701",
    "period": "2013-07",
    "category": None,
    "severity": None,
    "visit": None,
    "parameter": None,
    "measure": "subjects",
    "value": 12.0,
    "lower": None,
    "upper": None,
    "subjects": 12,
}


def one(address: str, statement: str) -> Any:
    """The only row of an answer."""
    engine = create_engine(store_url(address))
    with engine.connect() as connection:
        found = connection.execute(text(statement)).one()
    engine.dispose()
    return found


class LocalRun:
    """A local run's folder of records and what its stages wrote, as far as it came."""

    def __init__(self, folder: Path, store: str) -> None:
        self.root = folder
        self.folder = folder / "hand" / "records" / "r1"
        self.store = store
        self.outputs: dict[str, dict[str, str]] = {}

    def wrote(self, stage: str, output: str, documents: dict[str, str]) -> None:
        """An output of a stage."""
        folder = self.root / stage / output
        folder.mkdir(parents=True)
        for name, content in documents.items():
            (folder / name).write_text(content)
        self.outputs.setdefault(stage, {})[output] = str(folder)

    def wrote_examples(self) -> None:
        self.wrote("TrialExampleGen", "rejects", {"counts.json": json.dumps(COUNTS)})

    def wrote_findings(self) -> None:
        self.wrote("DataGate", "findings", {"findings.json": findings().model_dump_json()})

    def wrote_verdict(self) -> None:
        documents = {"metrics": metrics(), "verdict": verdict(), "curves": curves()}
        content = {f"{name}.json": item.model_dump_json() for name, item in documents.items()}
        self.wrote("TrialEvaluator", "verdict", content)

    def wrote_registration(self) -> None:
        document = {"registered": True, "reason": None}
        self.wrote("ModelRegistrar", "registration", {"registration.json": json.dumps(document)})

    def wrote_summary(self) -> None:
        document = json.dumps({"smallest_group": 10, "records": [PROGRESS], "absent": []})
        self.wrote("TrialSummary", "summary", {"summary.json": document})

    def ends(
        self,
        status: Any = "done",
        failed_stage: str = "",
        reason: str | None = None,
        kind: RunKind = TRAINING,
    ) -> None:
        RunFile(
            run="r1",
            study="hand",
            study_file=study().to_content(),
            study_digest=study().digest(),
            fingerprint="f" * 64,
            data_root="data",
            data_modified=STARTED,
            seed=7,
            steps=50,
            code_version="0.1.0",
            started_by="a_user",
            started=STARTED,
            ended=None if status == "running" else STARTED + timedelta(minutes=1),
            status=status,
            failed_stage=failed_stage,
            reason=reason,
            store=self.store,
            outputs=self.outputs,
            kind=kind,
        ).write(self.folder)

    def recorded(self, **changes: Any) -> None:
        """A stage's record."""
        record = stage("r1", **changes)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{record['stage']}.json").write_text(json.dumps(record))


@pytest.fixture
def run(tmp_path: Path, sqlite: str) -> LocalRun:
    return LocalRun(tmp_path / "runs", sqlite)


@pytest.fixture
def done(run: LocalRun) -> LocalRun:
    """A run that finished."""
    run.wrote_examples()
    run.wrote_findings()
    run.wrote_verdict()
    run.wrote_registration()
    run.wrote_summary()
    run.recorded()
    run.ends()
    return run


def test_a_run_that_is_done_is_exported_whole(done: LocalRun, sqlite: str) -> None:
    export_local_run(done.folder)

    assert counts(sqlite) == {
        "runs": 1,
        "titles": 2,
        "outcomes": 1,
        "stages": 1,
        "stage_rows": 1,
        "models": 1,
        "task_verdicts": 1,
        "blessing_reasons": 0,
        "comparisons": 2,
        "thresholds": 1,
        "metrics": 4,
        "between_groups": 0,
        "predicted_risks": 0,
        "validations": 0,
        "validation_estimates": 0,
        "monitorings": 0,
        "monitored_values": 0,
        "monitored_drift": 0,
        "monitored_alarms": 0,
        "registry_entries": 0,
        "model_stages": 0,
        "calibration": 1,
        "referral": 0,
        "suppressed_groups": 2,
        "gate_findings": 2,
        "trial_progress": 1,
    }


def test_a_run_has_its_row_from_its_start_on_and_nothing_else_before_its_end(
    done: LocalRun, sqlite: str
) -> None:
    done.ends("running")
    export_start(read_training_run(done.folder))

    found = {table: rows for table, rows in counts(sqlite).items() if rows}
    assert found == {"runs": 1, "titles": 2}
    with pytest.raises(UserError, match="has not ended"):
        export_local_run(done.folder)

    done.ends("killed", "Pusher", "ended by SIGTERM")
    export_local_run(done.folder)
    assert counts(sqlite)["runs"] == 1
    assert one(sqlite, "SELECT status, reason FROM outcomes") == ("killed", "ended by SIGTERM")


@pytest.mark.parametrize("status", ["failed", "interrupted", "killed"])
def test_a_stage_that_did_not_finish_ends_its_run_in_the_same_way(status: str, sqlite: str) -> None:
    record = stage("r1", stage="Trainer", status=status, error="ended by SIGTERM", rows=[])
    export_stage(sqlite, "hand", StageRecord.model_validate(record))

    assert one(sqlite, "SELECT status, failed_stage FROM outcomes") == (status, "Trainer")


def test_a_run_says_what_it_was_made_from(done: LocalRun, sqlite: str) -> None:
    export_local_run(done.folder)

    row = one(sqlite, "SELECT * FROM runs")
    assert (row.run, row.study, row.runner, row.started_by) == ("r1", "hand", "local", "a_user")
    assert json.loads(row.parameters) == {"seed": 7, "steps": 50}
    assert row.smallest_group == 10


def test_rows_of_a_stage_that_was_cached_are_there_too(done: LocalRun, sqlite: str) -> None:
    done.recorded(status="cached", rows=[])
    export_local_run(done.folder)

    row = one(sqlite, "SELECT * FROM stage_rows")
    assert (row.stage, row.dataset) == ("TrialExampleGen", "dm")
    assert (row.rows_in, row.used, row.excluded, row.rejected) == (70, 60, 8, 2)


def test_how_many_labels_a_task_knows_is_no_row(run: LocalRun, sqlite: str) -> None:
    """Of 61 subjects 48 are known: the others are fewer than the smallest group."""
    known = {"split": "test", "task": "death", "subjects": 48}
    run.recorded(stage="TrialEvaluator", rows=[{"split": "test", "subjects": 61}, known])
    run.ends()
    export_local_run(run.folder)

    assert one(sqlite, "SELECT subjects FROM stage_rows").subjects == 61


def test_a_run_that_the_gate_stopped_says_what_the_gate_found(run: LocalRun, sqlite: str) -> None:
    """Its output is removed with the failure; its record is not."""
    run.wrote_examples()
    found = findings().root[0].model_dump() | {"severity": "stop"}
    run.recorded(stage="DataGate", status="failed", error="AGE drifts", findings=[found], rows=[])
    run.ends("failed", "DataGate", "AGE drifts")
    export_local_run(run.folder)

    outcome = one(sqlite, "SELECT * FROM outcomes")
    assert (outcome.status, outcome.failed_stage) == ("failed", "DataGate")
    assert outcome.reason == "AGE drifts"
    assert one(sqlite, "SELECT severity FROM gate_findings").severity == "stop"
    assert counts(sqlite)["metrics"] == 0


def test_a_run_that_failed_after_the_evaluation_has_its_metrics(run: LocalRun, sqlite: str) -> None:
    run.wrote_verdict()
    run.recorded(stage="Pusher", status="failed", error="no space", rows=[])
    run.ends("failed", "Pusher", "no space")
    export_local_run(run.folder)

    assert counts(sqlite)["metrics"] == 4
    model = one(sqlite, "SELECT registered, not_registered FROM models")
    assert not model.registered
    assert "ended before" in model.not_registered


def test_an_unexpected_message_stays_out_of_the_store(run: LocalRun, sqlite: str) -> None:
    """It could hold anything: here a birth date."""
    message = "ValueError: could not convert '1931-05-04'"
    run.recorded(stage="Trainer", status="failed", error=message, exception="ValueError", rows=[])
    run.ends("failed", "Trainer", "ValueError")
    export_local_run(run.folder)

    error = one(sqlite, "SELECT error FROM stages").error
    assert error.startswith("Unexpected ValueError;")
    assert "1931" not in error


def test_a_run_that_is_exported_again_changes_nothing(done: LocalRun, sqlite: str) -> None:
    export_local_run(done.folder)
    before = counts(sqlite)
    export_local_run(done.folder)

    assert counts(sqlite) == before


def test_another_store_can_be_named(done: LocalRun, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    export_local_run(done.folder, other)

    assert counts(other)["runs"] == 1


def test_a_run_without_a_store_needs_an_address(run: LocalRun) -> None:
    run.store = ""
    run.ends()
    with pytest.raises(UserError, match="STORE="):
        export_local_run(run.folder)


def test_a_stage_that_is_a_process_of_its_own_exports_itself(sqlite: str) -> None:
    export_stage(sqlite, "hand", StageRecord.model_validate(stage("r1")))

    assert counts(sqlite)["stages"] == 1
    assert counts(sqlite)["runs"] == 0


def test_a_failed_stage_of_a_validation_ends_a_run_of_its_kind(sqlite: str) -> None:
    failed = stage("v1", status="failed", error="no such model")
    export_stage(sqlite, "hand", StageRecord.model_validate(failed), VALIDATION)

    assert one(sqlite, "SELECT kind FROM runs").kind == "validation"


@pytest.fixture
def validated(run: LocalRun) -> LocalRun:
    """A validation that finished."""
    run.folder = run.root / "hand" / "validation" / "records" / "r1"
    run.wrote_examples()
    run.wrote_findings()
    run.wrote_verdict()
    run.wrote("ExternalValidation", "validation", {"validation.json": VALIDATED})
    run.recorded()
    run.ends(kind=VALIDATION)
    return run


def test_a_validation_is_exported_as_one_and_has_no_model_of_its_own(
    validated: LocalRun, sqlite: str
) -> None:
    export_local_run(validated.folder)

    found = one(sqlite, "SELECT study, model_study, model FROM validations")
    assert tuple(found) == ("hand", "first", "0123456789abcdef")
    assert one(sqlite, "SELECT kind, parameters FROM runs").kind == "validation"
    written = counts(sqlite)
    assert written["metrics"] == 4
    assert written["validation_estimates"] == 5
    for table in ("models", "task_verdicts", "comparisons", "thresholds"):
        assert written[table] == 0, table


def test_a_validation_that_ended_before_its_result_has_no_model_either(
    validated: LocalRun, sqlite: str
) -> None:
    del validated.outputs["ExternalValidation"]
    validated.ends("failed", "ExternalValidation", "out of memory", kind=VALIDATION)
    export_local_run(validated.folder)

    assert counts(sqlite)["models"] == 0
    assert one(sqlite, "SELECT status FROM outcomes").status == "failed"


def test_a_validation_is_found_by_its_id_and_never_as_the_newest_run(
    validated: LocalRun,
) -> None:
    root = validated.root
    assert find_run("r1", root) == validated.folder
    with pytest.raises(UserError, match="There is no run below"):
        find_run("", root)


def test_a_report_of_a_validation_is_refused(validated: LocalRun) -> None:
    with pytest.raises(UserError, match=r"validated a registered model.*page\.html"):
        read_training_run(validated.folder)


def test_a_stage_that_fails_ends_its_run(sqlite: str) -> None:
    export_stage(sqlite, "hand", StageRecord.model_validate(stage("r1")))
    later = (STARTED + timedelta(minutes=3)).isoformat()
    found = findings().root[0].model_dump()
    failed = stage("r1", stage="DataGate", status="failed", error="AGE drifts", started=later)
    stopped = failed | {"rows": [], "findings": [found]}
    export_stage(sqlite, "hand", StageRecord.model_validate(stopped))

    run = one(sqlite, "SELECT study, runner, started FROM runs")
    assert (run.study, run.runner) == ("hand", "kubeflow")
    # Its start is that of its first stage.
    assert run.started.startswith("2026-03-01 12:00:00")
    outcome = one(sqlite, "SELECT status, failed_stage, reason FROM outcomes")
    assert tuple(outcome) == ("failed", "DataGate", "AGE drifts")
    assert counts(sqlite)["gate_findings"] == 1


def test_rows_that_are_pending_come_back_as_they_were() -> None:
    rows = run_rows("r1")
    left = ExportFile(status="pending", store="", pending=by_table(rows))

    assert ExportFile.model_validate_json(left.to_json()).pending_rows() == rows


def test_a_table_of_another_release_is_reported() -> None:
    left = ExportFile(status="pending", store="", pending={"tomorrow": []})
    with pytest.raises(UserError, match="no table tomorrow"):
        left.pending_rows()


class TestByHand:
    """`make export RUN=...`."""

    def test_a_runs_id_is_enough(self, done: LocalRun, sqlite: str) -> None:
        assert main(["export", "r1", "--root", str(done.root)]) == 0
        assert counts(sqlite)["runs"] == 1

    def test_without_an_id_it_is_the_newest_run(self, done: LocalRun, sqlite: str) -> None:
        assert main(["export", "--root", str(done.root)]) == 0
        assert counts(sqlite)["runs"] == 1

    def test_what_a_task_could_not_export_is_exported(self, tmp_path: Path, sqlite: str) -> None:
        left = ExportFile(status="pending", store=sqlite, pending=by_table(run_rows("r1")))
        (tmp_path / EXPORT_FILE).write_text(left.to_json())

        assert main(["export", str(tmp_path)]) == 0
        assert counts(sqlite)["metrics"] == 4

    def test_a_run_that_is_not_there_is_reported(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["export", "r9", "--root", str(tmp_path)]) == 2
        assert "There is no run r9" in capsys.readouterr().err

    def test_a_store_that_is_down_is_reported_in_one_line(
        self, done: LocalRun, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TRIAL_STORE_ATTEMPTS", "1")
        store = "postgresql://trial_writer@127.0.0.1:1/trial"

        assert main(["export", "r1", "--root", str(done.root), "--store", store]) == 2
        assert "Nothing was written" in capsys.readouterr().err

    def test_a_new_file_is_migrated(self, sqlite: str) -> None:
        assert main(["store", "migrate", sqlite]) == 0
        export(sqlite, run_rows("r1"))
        assert counts(sqlite)["runs"] == 1


def test_rows_of_datasets_and_subjects_of_splits_are_exported_together(
    run: LocalRun, sqlite: str
) -> None:
    counted = {"dataset": "dm", "rows_in": 9, "used": 9, "excluded": 0, "rejected": 0}
    run.recorded(rows=[counted])
    run.recorded(stage="DataGate", rows=[{"split": "test", "subjects": 61}])
    run.ends()
    export_local_run(run.folder)

    assert counts(sqlite)["stage_rows"] == 2
