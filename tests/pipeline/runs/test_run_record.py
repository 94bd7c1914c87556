"""What is written down of a stage, however it ends."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.runs.run_file import RUN_FILE
from pipeline.runs.run_record import recorded, versions
from pipeline.runs.stage_record import StageRecord, read_records

LOG = logging.getLogger("a.component")


@pytest.fixture(autouse=True)
def _info_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def _written(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "Trainer.json").read_text())


def _record() -> StageRecord:
    return StageRecord(run="r1", stage="Trainer", versions={"tfx": "1.16.0"})


def test_a_stage_that_ends_well_is_done(tmp_path: Path) -> None:
    with recorded(_record(), tmp_path):
        pass
    written = _written(tmp_path)
    assert written["status"] == "done"
    assert written["error"] is None
    assert (written["run"], written["stage"]) == ("r1", "Trainer")
    assert written["versions"] == {"tfx": "1.16.0"}


def test_the_start_is_a_moment_in_utc(tmp_path: Path) -> None:
    with recorded(_record(), tmp_path):
        pass
    started = datetime.fromisoformat(_written(tmp_path)["started"])
    assert started.utcoffset() is not None
    assert started.utcoffset().total_seconds() == 0  # type: ignore[union-attr]


def test_a_stage_that_was_cached_stays_so(tmp_path: Path) -> None:
    with recorded(_record(), tmp_path) as record:
        record.status = "cached"
    assert _written(tmp_path)["status"] == "cached"


def test_rows_are_of_the_stage_whose_process_logged_them(tmp_path: Path) -> None:
    here, there = _record(), _record()
    own = os.getpid()
    with recorded(here, tmp_path, own), recorded(there, tmp_path, own, is_beside=True):
        LOG.info("rows", extra={"rows": {"subjects": 3}})
        LOG.info("rows", extra={"rows": {"subjects": 7}, "beside": True})
    assert [rows.subjects for rows in here.rows] == [3]
    assert [rows.subjects for rows in there.rows] == [7]


def test_a_stage_that_fails_is_recorded_with_its_error_which_goes_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such column"), recorded(_record(), tmp_path):
        raise ValueError("no such column")
    written = _written(tmp_path)
    assert written["status"] == "failed"
    assert written["error"] == "ValueError: no such column"


def test_a_stage_that_is_interrupted_is_recorded_as_such(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), recorded(_record(), tmp_path):
        raise KeyboardInterrupt
    written = _written(tmp_path)
    assert written["status"] == "interrupted"
    assert written["error"] == "interrupted"


def test_rows_that_a_stage_logs_are_kept_in_order(tmp_path: Path) -> None:
    with recorded(_record(), tmp_path):
        LOG.info("rows", extra={"rows": {"dataset": "adsl", "rows_in": 3}})
        LOG.info("rows", extra={"rows": {"dataset": "adae", "rows_in": 5}})
    assert _written(tmp_path)["rows"] == [
        {"dataset": "adsl", "rows_in": 3},
        {"dataset": "adae", "rows_in": 5},
    ]


def test_rows_of_a_run_that_is_held_back_are_taken_back(tmp_path: Path) -> None:
    with recorded(_record(), tmp_path):
        LOG.info("rows", extra={"rows": {"split": "train", "subjects": 731}})
        LOG.info("rows are held back", extra={"held_back": True})
    assert _written(tmp_path)["rows"] == []


def test_findings_are_kept_also_when_the_stage_stops_because_of_them(tmp_path: Path) -> None:
    finding = {"rule": "leakage", "severity": "stop", "message": "AGE tells the label"}

    def stops() -> None:
        with recorded(_record(), tmp_path):
            LOG.warning("gate", extra={"findings": [finding]})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stops()
    (written,) = _written(tmp_path)["findings"]
    assert {key: written[key] for key in finding} == finding


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    with recorded(_record(), tmp_path) as record:
        LOG.info("rows", extra={"rows": {"split": "train", "subjects": 12}})
    (tmp_path / RUN_FILE).write_text("not a stage's")

    assert read_records(tmp_path) == [record]


def test_records_are_read_in_the_order_of_their_starts(tmp_path: Path) -> None:
    for stage, minute in (("Evaluator", 2), ("Trainer", 1), ("DataGate", 0)):
        started = datetime(2026, 3, 1, 12, minute, tzinfo=UTC)
        StageRecord(run="r1", stage=stage, started=started).write(tmp_path)

    assert [record.stage for record in read_records(tmp_path)] == [
        *("DataGate", "Trainer", "Evaluator"),
    ]


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "Trainer.json").write_text('{"run": "r1"}')

    with pytest.raises(UserError, match=r"Trainer\.json: not a stage's record \(stage: "):
        read_records(tmp_path)


def test_a_record_of_0_1_0_is_read(tmp_path: Path) -> None:
    rows = {"dataset": "dm", "rows_in": 9, "used": 6, "left_out": 2, "rejected": 1, "reasons": {}}
    content = {
        "run": "r0",
        "stage": "BaselineModel",
        "status": "done",
        "started": "2026-01-05T12:00:00+00:00",
        "seconds": 1.099,
        "peak_memory_mb": 1030.8,
        "rows": [rows],
        "findings": [],
        "error": None,
        "exception": None,
        "versions": {"clinical-trial-pipeline": "0.1.0"},
    }
    (tmp_path / "BaselineModel.json").write_text(json.dumps(content))

    (record,) = read_records(tmp_path)
    assert record.stage == "BaselineModel"
    assert record.started == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert record.rows[0].excluded == 2


def test_what_is_logged_after_a_stage_is_not_its_own(tmp_path: Path) -> None:
    record = _record()
    with recorded(record, tmp_path):
        pass
    LOG.info("rows", extra={"rows": {"dataset": "adsl"}})
    assert record.rows == []


def test_memory_of_child_processes_counts(tmp_path: Path) -> None:
    record = _record()
    with recorded(record, tmp_path):
        pass
    alone = record.peak_memory_mb
    with recorded(record, tmp_path):
        subprocess.run(
            [sys.executable, "-c", "import time; b = bytearray(300 * 2**20); time.sleep(1.5)"],
            check=True,
        )
    assert record.peak_memory_mb > alone + 200


def test_versions_name_the_project_and_what_its_results_depend_on() -> None:
    found = versions("1.2.3")
    assert found["clinical-trial-pipeline"] == "1.2.3"
    assert {"tfx", "tensorflow", "keras", "apache-beam"} <= set(found)
