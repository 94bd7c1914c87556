"""What the service adds to the prediction log, and what it never does."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
import httpx
import pyarrow as pa
import pytest
import tensorflow as tf

from components.batch_scoring.graph import ScoringJob, score
from pipeline.names import SUBJECT_HASH, flag_key
from pipeline.predictions.log import Batch, PredictionLog
from pipeline.predictions.parquet_log import ParquetLog
from pipeline.predictions.rows import SCORE, Occasion, log_rows
from pipeline.results.scored_file import read_parts
from pipeline.results.scoring import LEFT_BY_LANDMARK, OUTSIDE_POPULATION
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from pipeline.service.recorder import Recorder
from pipeline.skew.bins import input_bins
from tests.each import each
from tests.pipeline.predictions.hand_made import NOON, rows_of, subjects_of
from tests.pipeline.service.hand_made import STUDY, SUBJECT, serialized_example
from tests.pipeline.service.running import problems, running

A, B = 32 * "a", 32 * "b"
NEVER = 3600.0
"""Seconds between two batches that no test waits for: the end of the service writes."""


@pytest.fixture
def log(tmp_path: Path) -> ParquetLog:
    return ParquetLog(str(tmp_path / "log"))


def all_rows(log: ParquetLog) -> list[dict[str, Any]]:
    return rows_of(*log.read(STUDY))


def metric(client: httpx.Client, name: str) -> float:
    (line,) = (x for x in client.get("/metrics").text.splitlines() if x.startswith(f"{name} "))
    return float(line.split()[-1])


def lost(client: httpx.Client) -> float:
    return metric(client, 'trial_service_logged_subjects_total{outcome="lost"}')


def test_each_protocol_adds_its_subjects_with_their_pseudonyms(
    follower: Follower, log: ParquetLog
) -> None:
    a, b = SUBJECT | {SUBJECT_HASH: A}, SUBJECT | {SUBJECT_HASH: B, "AGE": 80}
    tensors = [
        {"name": name, "shape": [1], "datatype": "BYTES", "data": [value]}
        for name, value in a.items()
        if isinstance(value, str)
    ]
    numbers = [
        {"name": name, "shape": [1], "datatype": "FP32", "data": [SUBJECT[name]]}
        for name in ("AGE", "BMI")
    ]
    with running(create_app(follower, recorder=Recorder(log, STUDY, NEVER))) as client:
        for path, body in each(
            {
                "/predict": {"subject": a, "arms": False},
                "/v1/models/stroke:predict": {"instances": [b, SUBJECT]},
                "/v2/models/stroke/infer": {"inputs": tensors + numbers},
            }.items()
        ):
            answer = client.post(path, json=body)
            assert answer.status_code == 200, answer.text
            assert A not in answer.text

    assert subjects_of(log.read(STUDY)) == [None, None, A, A, A, A, B, B]
    found = all_rows(log)
    (of_b,) = (row for row in found if (row["subject_hash"], row["task"]) == (B, "death"))
    assert of_b["flags"] == ["out_of_range:AGE"]
    assert of_b["inputs"] == {"AGE": "4", "BMI": "1", "SEX": "F", "arm": "Active"}
    assert (of_b["source"], of_b["study"]) == ("serve", STUDY)


def test_the_log_has_the_probabilities_and_intervals_of_the_answer(
    follower: Follower, log: ParquetLog
) -> None:
    with running(create_app(follower, recorder=Recorder(log, STUDY, NEVER))) as client:
        answer = client.post("/predict", json={"subject": SUBJECT}).json()

    death, relapse = all_rows(log)
    of_death = answer["predictions"]["death"]
    assert death["prediction"] == of_death["probability"]
    ends = {"lower": death["lower"], "upper": death["upper"]}
    assert ends == of_death["interval"]
    assert (relapse["lower"], relapse["upper"]) == (None, None)
    assert death["model"] == answer["model"]["id"]


def test_what_is_entered_on_the_page_never_enters_the_log(
    follower: Follower, log: ParquetLog
) -> None:
    form = {name: str(value) for name, value in SUBJECT.items()}
    with running(create_app(follower, recorder=Recorder(log, STUDY, NEVER))) as client:
        page = client.post("/", data=form)
        assert page.status_code == 200
        assert "%" in page.text
        client.post("/predict", json={"subject": SUBJECT | {SUBJECT_HASH: A}})

    assert subjects_of(log.read(STUDY)) == [A, A]


def test_an_original_key_is_refused_and_not_repeated(follower: Follower, log: ParquetLog) -> None:
    with running(create_app(follower, recorder=Recorder(log, STUDY, NEVER))) as client:
        for key in each(("SITE-7-0042", 32 * "g", A[:31], A.upper(), 12345)):
            body = {"subject": SUBJECT | {SUBJECT_HASH: key}}
            answer = client.post("/predict", json=body)
            assert problems(answer) == {(0, SUBJECT_HASH, "wrong_type")}
            assert str(key) not in answer.text
    assert all_rows(log) == []


def test_without_a_log_nothing_is_kept_and_a_pseudonym_is_accepted(client: httpx.Client) -> None:
    before = {thread.name for thread in threading.enumerate()}
    body = {"subject": SUBJECT | {SUBJECT_HASH: A, "arm": "Active"}, "arms": False}
    assert client.post("/predict", json=body).status_code == 200
    assert "prediction log" not in before
    assert "prediction_log" not in client.get("/metrics").text
    assert "prediction_log_answers" not in client.get("/v2/health/ready").json()


def test_service_and_batch_scoring_add_the_same_rows(
    follower: Follower, log: ParquetLog, saved_model: Path, tmp_path: Path
) -> None:
    """The batch scoring reads serialised examples of the same subjects, on Beam."""
    changes: list[dict[str, Any]] = [
        {},
        {"AGE": 45},
        {"AGE": 80, "SEX": "M"},
        {"BMI": None},
        {"AGE": 50, "SEX": "other"},
    ]
    subjects = {f"{place:032x}": SUBJECT | changed for place, changed in enumerate(changes)}
    with running(create_app(follower, recorder=Recorder(log, STUDY, NEVER))) as client:
        rows = [subject | {SUBJECT_HASH: name} for name, subject in subjects.items()]
        client.post("/v1/models/stroke:predict", json={"instances": rows})

    champion = follower.served.champion
    assert champion is not None
    numbers, categories, seen = ("AGE", "BMI"), ("SEX", "arm"), champion.inputs.seen
    members = {flag_key(flag): 0.0 for flag in (OUTSIDE_POPULATION, LEFT_BY_LANDMARK)}
    examples, folder = str(tmp_path / "examples.gz"), tmp_path / "scored"
    folder.mkdir()
    with tf.io.TFRecordWriter(examples, "GZIP") as writer:
        for name, subject in subjects.items():
            writer.write(serialized_example(subject | {SUBJECT_HASH: name} | members))
    job = ScoringJob(
        model=str(saved_model),
        version=champion.entry.id,
        numbers=numbers,
        categories=categories,
        seen=seen,
        reactions=champion.reactions,
        folder=str(folder),
        bins=input_bins(seen, numbers, categories, smallest_group=20),
    )
    with beam.Pipeline() as root:
        score(root, job, [examples])
    (part,) = read_parts(str(folder))
    scored = rows_of(log_rows(Occasion(STUDY, SCORE, "run-1"), part, NOON))

    same = ("study", "task", "model", "subject_hash", "flags", "inputs")
    near = ("prediction", "lower", "upper")
    assert len(scored) == 10
    for served, batch in each(zip(all_rows(log), scored, strict=True)):
        assert [served[name] for name in same] == [batch[name] for name in same]
        assert [served[name] for name in near] == pytest.approx([batch[name] for name in near])
    assert {row["inputs"]["AGE"] for row in scored} == {"1", "2", "3", "4"}


class WaitingLog:
    """A log that takes nothing until it is let go."""

    def __init__(self, log: PredictionLog) -> None:
        self._log, self.goes_on, self.asked = log, threading.Event(), threading.Event()

    def append(self, batch: Batch, tables: Iterable[pa.Table]) -> None:
        self.asked.set()
        assert self.goes_on.wait(60)
        self._log.append(batch, tables)


def test_a_log_that_hangs_delays_no_answer(follower: Follower, log: ParquetLog) -> None:
    hanging = WaitingLog(log)
    recorder = Recorder(hanging, STUDY, seconds=0.001)  # type: ignore[arg-type]
    with running(create_app(follower, recorder=recorder)) as client:
        for _ in range(3):
            assert client.post("/predict", json={"subject": SUBJECT}).status_code == 200
        assert hanging.asked.wait(60)
        assert client.post("/predict", json={"subject": SUBJECT}).status_code == 200
        hanging.goes_on.set()
    assert len(all_rows(log)) == 8


def test_while_the_log_is_gone_the_service_answers_says_so_and_writes_later(
    follower: Follower, tmp_path: Path
) -> None:
    place = tmp_path / "log"
    place.write_text("a file stands where the folder should be")
    recorder = Recorder(ParquetLog(str(place)), STUDY, seconds=0.001)
    with running(create_app(follower, recorder=recorder)) as client:
        assert client.get("/v2/health/ready").json()["prediction_log_answers"] is True
        client.post("/predict", json={"subject": SUBJECT})
        until(lambda: not recorder.answers)
        ready = client.get("/v2/health/ready")
        assert ready.status_code == 200
        assert ready.json()["prediction_log_answers"] is False
        assert metric(client, "trial_service_prediction_log_answers") == 0
        assert metric(client, "trial_service_prediction_log_waiting") == 1
        assert client.post("/predict", json={"subject": SUBJECT}).status_code == 200

        place.unlink()
        until(lambda: recorder.answers)
        assert client.get("/v2/health/ready").json()["prediction_log_answers"] is True
    assert len(all_rows(ParquetLog(str(place)))) == 4


def test_what_the_memory_does_not_hold_is_lost_and_counted(
    follower: Follower, tmp_path: Path
) -> None:
    place = tmp_path / "log"
    place.write_text("a file stands where the folder should be")
    recorder = Recorder(ParquetLog(str(place)), STUDY, seconds=0.001, most_subjects=3)
    with running(create_app(follower, recorder=recorder)) as client:
        for _ in range(5):
            assert client.post("/predict", json={"subject": SUBJECT}).status_code == 200
        assert lost(client) == 2
        assert metric(client, "trial_service_prediction_log_waiting") == 3
        place.unlink()
    assert len(all_rows(ParquetLog(str(place)))) == 6


def test_what_can_not_be_written_at_the_end_is_said(
    follower: Follower, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "log"
    place.write_text("a file stands where the folder should be")
    with running(
        create_app(follower, recorder=Recorder(ParquetLog(str(place)), STUDY, NEVER))
    ) as client:
        client.post("/predict", json={"subject": SUBJECT})
    assert "The prediction log lacks predictions of 1 subjects." in caplog.text


def until(holds: Any) -> None:
    """Waits until something holds that another thread brings about."""
    for _ in range(60_000):
        if holds():
            return
        threading.Event().wait(0.001)
    pytest.fail("it never holds")
