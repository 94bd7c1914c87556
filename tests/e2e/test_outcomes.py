"""`trial outcomes` after `trial score`: half of the subjects are scored, the later cut has all."""

from __future__ import annotations

import csv
import json
import stat
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from components.trial_example_gen.subject_hashes import subject_hashes
from pipeline.config import SUBJECT_KEY_FILE
from pipeline.predictions.log import Batch
from pipeline.predictions.open_log import open_log
from pipeline.predictions.rows import PREDICTED_AT, Occasion
from pipeline.predictions.scored_outcomes import scored_outcomes
from tests.components.registered_model.hand_made_model import STUDY
from tests.each import each
from tests.scored_trial import CONTENT, SCHEMA, ended_command, run_scoring

pytestmark = pytest.mark.slow

SCORED = 120
SUBJECTS = 240
COLUMNS = ["ID", "AGE", "SEX", "CONSENT", "START", "LASTDY"]
PREDICTED = datetime.now(UTC) - timedelta(days=790)
"""When the subjects were predicted: all that the test does happens now, so this is its clock."""
START = PREDICTED.date() - timedelta(days=10)
LONG_AGO = START - timedelta(days=900)

CONTENT_WITH_DATES: dict[str, Any] = deepcopy(CONTENT)
CONTENT_WITH_DATES["datasets"]["subjects"]["columns"]["START"] = {"type": "date"}
CONTENT_WITH_DATES["subject"]["reference_date"] = "START"
CONTENT_WITH_DATES["tasks"]["death"]["event"]["follow_up"] = {
    "dataset": "subjects",
    "day": "LASTDY",
}

KINDS = ("died", "alive", "left", "long ago")
"""Subjects in turn: who died on day 20, was followed for 400 days, left on day 100, and died
900 days before the others began, so before the prediction. The horizon of all has passed."""


def kind(number: int) -> str:
    return KINDS[number % len(KINDS)]


def write_cut(folder: Path, subjects: int) -> Path:
    """Writes study file, schema and data; returns the study file."""
    folder.mkdir(parents=True)
    with (folder / "subjects.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number in range(subjects):
            start = LONG_AGO if kind(number) == "long ago" else START
            last = {"alive": 400, "left": 100}.get(kind(number), 20)
            rows.writerow([f"S{number:03d}", 40 + number % 31, "FM"[number % 2], "Y", start, last])
    deaths = [f"S{n:03d},20" for n in range(subjects) if kind(n) in ("died", "long ago")]
    (folder / "deaths.csv").write_text("\n".join(["ID,DAY", *deaths]) + "\n")
    (folder / "schema.pbtxt").write_text(SCHEMA)
    study = folder / "study.yaml"
    study.write_text(yaml.safe_dump(CONTENT_WITH_DATES))
    return study


@dataclass(frozen=True)
class Recorded:
    """A recording that has ended."""

    code: int
    answer: dict[str, Any]
    terminal: str
    log: Path
    root: Path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("outcomes")
    study, log = write_cut(folder / "new", SCORED), folder / "log"
    now = folder / "now"
    scored = run_scoring(folder, study, "--out", "store", "--prediction-log", str(now))
    assert scored.code == 0, scored.terminal
    predictions = pa.concat_tables(open_log(str(now)).read(STUDY))
    place = predictions.schema.get_field_index(PREDICTED_AT)
    moments = pa.array([PREDICTED] * len(predictions), predictions.schema.field(place).type)
    earlier = predictions.set_column(place, predictions.schema.field(place), moments)
    batch = Batch(Occasion(STUDY, "score", "earlier"), "earlier", PREDICTED.date())
    open_log(str(log)).append(batch, [earlier])
    later = write_cut(folder / "later", SUBJECTS)
    ended = ended_command(folder, "outcomes", later, later.parent, "--prediction-log", log)
    answer = json.loads(ended.stdout)
    return Recorded(ended.returncode, answer, ended.stderr, log, folder / "runs")


def test_it_ends_and_shows_numbers_rounded_down_to_the_smallest_group(recorded: Recorded) -> None:
    assert recorded.code == 0, recorded.terminal
    assert "240 subjects, 120 with predictions" in recorded.terminal
    counts = "60 scored, 20 known before the prediction, 20 censored, 0 unknown"
    assert f"Death within a year: {counts}" in recorded.terminal


def test_only_subjects_who_were_scored_are_in_the_log_and_by_pseudonym(recorded: Recorded) -> None:
    (table,) = open_log(str(recorded.log)).read_outcomes(STUDY)
    names = [f"S{number:03d}" for number in range(SCORED)]
    key = SUBJECT_KEY_FILE.read_text().strip().encode()
    assert set(table["subject_hash"].to_pylist()) == {
        found.decode() for found in subject_hashes(STUDY, names, key)
    }
    assert set(table["task"].to_pylist()) == {"death"}
    (file,) = (recorded.log / STUDY / "outcomes").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_was_predicted_before_is_scored_and_who_left_is_no_negative(
    recorded: Recorded,
) -> None:
    log = open_log(str(recorded.log))
    found = scored_outcomes(log.read(STUDY), log.read_outcomes(STUDY)).rows
    rows = [row for row in found.to_pylist() if row["task"] == "death"]
    assert Counter((row["status"], row["outcome"]) for row in rows) == {
        ("observed", 1): 30,
        ("observed", 0): 30,
        ("censored", None): 30,
        ("after", None): 30,
    }
    # A quarter left on day 100: of those who were observed until then, three of four died or were
    # seen to the end, so that who was seen to the end stands for the ones who left as well.
    weights = {row["outcome"]: row["weight"] for row in rows if row["status"] == "observed"}
    assert weights == {1: 1.0, 0: 2.0}


def test_page_and_summary_name_no_subject(recorded: Recorded) -> None:
    for name in each(("page", "summary")):
        content = Path(recorded.answer["paths"][name]).read_text()
        assert "S001" not in content
        assert STUDY in content
