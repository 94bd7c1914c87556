"""A run is one trace: it tells nothing of a subject, and a receiver that is gone fails nothing."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.names import TRAINING
from pipeline.observability.address import ENDPOINT, is_observed
from pipeline.observability.identity import span_id, trace_id
from pipeline.observability.runs import send_run, send_stage, send_start, sent_log
from pipeline.permissions import account_name
from pipeline.results.findings import Finding
from pipeline.runs.run_file import RunFile
from pipeline.runs.run_record import recorded
from pipeline.runs.stage_record import CountedRows, StageRecord
from pipeline.runs.unblinded import open_root
from tests.pipeline.observability.receiver import Receiver, attributes
from tests.pipeline.runs.test_unblinded import ongoing

STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "born 1931 in Ulm"
READS = StageRecord(
    run="r1",
    stage="TrialExampleGen",
    status="done",
    started=STARTED + timedelta(seconds=1),
    seconds=2.5,
    peak_memory_mb=512.0,
    rows=[
        CountedRows(dataset="dm", rows_in=100, used=98, excluded=0, rejected=2),
        CountedRows.model_validate({"split": "train", "subjects": 60}),
        CountedRows.model_validate({"split": "train", "task": "death", "subjects": 59}),
    ],
)
STOPS = StageRecord(
    run="r1",
    stage="DataGate",
    status="failed",
    started=STARTED + timedelta(seconds=4),
    seconds=0.5,
    error=f"ValueError: {SECRET}",
    exception="ValueError",
)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    for record in (READS, STOPS):
        record.write(tmp_path)
    return tmp_path


def run_file(**changes: Any) -> RunFile:
    known: dict[str, Any] = {
        "run": "r1",
        "study": "hand",
        "study_file": {},
        "study_digest": "d" * 64,
        "fingerprint": "f" * 64,
        "data_root": "data",
        "data_modified": None,
        "seed": 7,
        "steps": 50,
        "code_version": "0.1.0",
        "started_by": "a_user",
        "started": STARTED,
        "ended": STARTED + timedelta(seconds=60),
        "status": "failed",
        "failed_stage": "DataGate",
        "reason": "Unexpected ValueError; see the run's log.",
        "store": "",
        "outputs": {},
    }
    return RunFile(**(known | changes))


def by_name(receiver: Receiver) -> dict[str, dict[str, Any]]:
    found = {span["name"]: span for span in receiver.spans}
    assert len(found) == len(receiver.spans)
    return found


def test_a_run_is_a_trace_and_each_of_its_stages_a_span(receiver: Receiver, records: Path) -> None:
    send_run(run_file(), records)

    spans = by_name(receiver)
    assert set(spans) == {"run hand", "TrialExampleGen", "DataGate"}
    assert {span["traceId"] for span in spans.values()} == {f"{trace_id('r1'):032x}"}
    run = spans.pop("run hand")
    assert "parentSpanId" not in run
    assert {span["parentSpanId"] for span in spans.values()} == {run["spanId"]}
    reads = spans["TrialExampleGen"]
    took = int(reads["endTimeUnixNano"]) - int(reads["startTimeUnixNano"])
    assert took == 2_500_000_000
    assert int(run["endTimeUnixNano"]) - int(run["startTimeUnixNano"]) == 60_000_000_000


def test_rows_memory_and_status_are_attributes_and_who_lacks_a_label_is_none(
    receiver: Receiver, records: Path
) -> None:
    send_run(run_file(), records)

    found = attributes(by_name(receiver)["TrialExampleGen"])
    assert found["trial.rows.dm.rows_in"] == "100"
    assert found["trial.rows.dm.rejected"] == "2"
    assert found["trial.subjects.train"] == "60"
    assert found["trial.peak_memory_mb"] == 512.0
    assert "59" not in found.values()


def test_findings_are_counted_by_severity(receiver: Receiver, tmp_path: Path) -> None:
    warned = Finding(rule="drift", severity="warn", message="AGE is missing")
    record = StageRecord(run="r1", stage="DataGate", status="done", findings=[warned, warned])
    record.write(tmp_path)

    send_run(run_file(status="done", reason=None), tmp_path)

    assert attributes(by_name(receiver)["DataGate"])["trial.findings.warn"] == "2"


def test_a_failure_is_an_error_of_its_stage_and_run_without_the_text_of_a_foreign_exception(
    receiver: Receiver, records: Path
) -> None:
    send_run(run_file(), records)

    spans = by_name(receiver)
    shown = "Unexpected ValueError; see the run's log."
    assert spans["DataGate"]["status"] == {"code": 2, "message": shown}
    assert spans["run hand"]["status"] == {"code": 2, "message": shown}
    assert spans["TrialExampleGen"]["status"] == {}
    assert SECRET not in receiver.text


def test_ends_of_runs_are_counted_by_study_and_status(receiver: Receiver, records: Path) -> None:
    send_run(run_file(), records)

    counted = {metric["name"]: metric for metric in receiver.metrics}
    [runs] = counted["trial.runs"]["sum"]["dataPoints"]
    assert (runs["asInt"], attributes(runs)["trial.status"]) == ("1", "failed")
    seconds = counted["trial.stage.duration"]["histogram"]["dataPoints"]
    assert {attributes(point)["trial.stage"] for point in seconds} == {
        "TrialExampleGen",
        "DataGate",
    }


def test_what_is_sent_twice_has_the_same_ids(receiver: Receiver, records: Path) -> None:
    send_run(run_file(), records)
    send_run(run_file(), records)

    ids = [span["spanId"] for span in receiver.spans]
    assert len(ids) == 6
    assert len(set(ids)) == 3


def test_tasks_of_their_own_processes_put_their_spans_into_the_runs_trace(
    receiver: Receiver,
) -> None:
    send_start("r1", "hand", TRAINING, STARTED)
    send_stage(READS, "hand", TRAINING)

    spans = by_name(receiver)
    assert spans["TrialExampleGen"]["parentSpanId"] == spans["run hand"]["spanId"]
    assert spans["TrialExampleGen"]["traceId"] == spans["run hand"]["traceId"]


def test_lines_of_this_project_are_sent_with_the_ids_of_their_stage(receiver: Receiver) -> None:
    own, foreign = logging.getLogger("trainer.run"), logging.getLogger("some_library")
    own.setLevel(logging.INFO)
    with sent_log("r1", "Trainer"):
        own.info("calibrates")
        own.info("rows", extra={"rows": {"split": "train"}})
        foreign.warning("%s", SECRET)
        try:
            raise ValueError(SECRET)
        except ValueError:
            own.exception("the run failed")
    own.info("later")

    calibrates, failed = receiver.lines
    assert calibrates["body"] == {"stringValue": "calibrates"}
    assert calibrates["traceId"] == f"{trace_id('r1'):032x}"
    assert calibrates["spanId"] == f"{span_id('r1', 'Trainer'):016x}"
    assert (failed["severityText"], attributes(failed)["exception.type"]) == ("ERROR", "ValueError")
    assert SECRET not in receiver.text


def test_without_an_address_nothing_is_sent_and_opentelemetry_is_not_loaded(records: Path) -> None:
    program = (
        "import sys; from pathlib import Path; import pipeline.observability.runs as runs;"
        "from tests.pipeline.observability.test_runs import run_file;"
        f"runs.send_run(run_file(), Path({str(records)!r}));"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


SENDS: dict[str, Callable[[Path], None]] = {
    "run": lambda records: send_run(run_file(), records),
    "stage": lambda _: send_stage(READS, "hand", TRAINING),
    "start": lambda _: send_start("r1", "hand", TRAINING, STARTED),
}


@pytest.mark.parametrize("what", SENDS)
def test_a_receiver_that_is_gone_fails_nothing(
    what: str, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{port}")
    SENDS[what](records)


@pytest.mark.parametrize(
    "address", ["collector:4318", "grpc://u:pw@a:4317", "http://", "http://u:pw@a:x"]
)
def test_what_is_no_address_is_refused_by_the_variables_name(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, address)
    with pytest.raises(UserError, match=f"{ENDPOINT} is no address") as refused:
        is_observed()
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("address", ["", " "])
def test_an_empty_address_is_none(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, address)
    assert not is_observed()


def test_a_stage_that_fails_otherwise_is_recorded_by_the_type_alone(
    receiver: Receiver, tmp_path: Path
) -> None:
    record = StageRecord(run="r1", stage="Transform")
    with pytest.raises(RuntimeError), recorded(record, tmp_path):
        raise RuntimeError(SECRET)
    send_stage(record, "hand", TRAINING)

    assert by_name(receiver)["Transform"]["status"]["code"] == 2
    assert SECRET not in receiver.text


def test_an_unblinded_run_is_sent_nowhere(receiver: Receiver, tmp_path: Path) -> None:
    root = open_root(tmp_path, ongoing(account_name()), "study.yaml", "trial run")
    records = root / "hand" / "records" / "r1"
    READS.write(records)
    logger = logging.getLogger("components.evaluator")
    logger.setLevel(logging.INFO)

    with sent_log("r1", file=root / "logs" / "r1.log"):
        logger.warning("the risk of arm Active is")
    send_run(run_file(), records)

    assert receiver.requests == []
