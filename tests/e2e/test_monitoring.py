"""`trial monitor`, as a person runs it on a prediction log of some months."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from typing import Any

import numpy as np
import pytest

from pipeline.predictions.log import Batch
from pipeline.predictions.outcomes import RecordedCut
from pipeline.predictions.parquet_log import ParquetLog
from pipeline.predictions.rows import Occasion
from tests.components.monitor.hand_made_log import outcomes, predictions
from tests.components.registered_model.hand_made_model import STUDY, register_by_hand
from tests.each import each
from tests.scored_trial import CONTENT, write_subjects
from tests.whole_runs import environment

pytestmark = pytest.mark.slow

SUBJECTS = 200
MONTHS = [datetime(2026, month, 11, tzinfo=UTC) for month in (1, 2, 3)]


def write_log(folder: Path, model: str) -> None:
    """Three months of women of the oldest bin, of whom half as many die as predicted."""
    rng = np.random.default_rng(8)
    log = ParquetLog(str(folder))
    for number, moment in enumerate(MONTHS):
        first = SUBJECTS * number
        risks = rng.uniform(0.2, 0.8, SUBJECTS)
        table = predictions(
            risks,
            {"AGE": "4", "SEX": "F"},
            moment,
            model=model,
            first=first,
            study=STUDY,
            flags=[["out_of_range:AGE"]] * 60 + [[]] * (SUBJECTS - 60),
        )
        log.append(
            Batch(Occasion(STUDY, "score", f"r{number}"), f"r{number}", moment.date()), [table]
        )
        known = (rng.random(SUBJECTS) < risks / 2).astype(int)
        recorded = moment + timedelta(weeks=4)
        log.append_outcomes(
            RecordedCut(STUDY, f"cut{number}", recorded),
            outcomes(known, recorded, first=first, study=STUDY),
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("monitored")


@pytest.fixture(scope="module")
def ended(folder: Path) -> subprocess.CompletedProcess[str]:
    trained = folder / "trained"
    trained.mkdir()
    model = register_by_hand(folder / "registry", trained)
    write_log(folder / "log", model.id)
    # Outcomes are recorded after four weeks: a longer horizon would hold them back.
    death = {**CONTENT["tasks"]["death"], "horizon": 28}
    study = write_subjects(folder / "new", tasks={"death": death})
    return subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.cli", "monitor", str(study)),
            *("--prediction-log", str(folder / "log"), "--registry", str(folder / "registry")),
            *("--root", str(folder / "runs"), "--fail-if-alarmed", "--json"),
        ],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def found(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    paths = json.loads(ended.stdout)["paths"]
    content: dict[str, Any] = json.loads(Path(paths["monitoring"]).read_text())
    return content


def test_an_alarm_ends_the_command_as_asked(ended: subprocess.CompletedProcess[str]) -> None:
    answer = json.loads(ended.stdout)

    assert (ended.returncode, answer["status"]) == (4, "done"), ended.stderr
    assert "drift" in {alarm["kind"] for alarm in answer["alarms"]}
    assert "alarm Values since the week of" in ended.stderr
    assert "no concept drift" in " ".join(ended.stderr.split())


def test_each_month_has_its_numbers(found: dict[str, Any]) -> None:
    whole = {
        (value["period_start"], value["metric"]): value["value"]
        for value in found["values"]
        if not value["slice"]
    }

    for moment in each(MONTHS):
        start = moment.replace(day=1).date().isoformat()
        assert whole[start, "scored"] == whole[start, "known"] == SUBJECTS
        assert whole[start, "flagged"] == 0.3
        assert whole[start, "calibration_in_the_large"] > 0.15
        assert whole[start, "days_to_outcome"] == 28


def test_a_feature_that_moved_is_beyond_its_boundary(found: dict[str, Any]) -> None:
    beyond = {(item["feature"], item["kind"]) for item in found["drift"] if item["beyond"]}

    assert {("AGE", "values"), ("SEX", "values")} <= beyond


def test_the_store_has_the_same(folder: Path, found: dict[str, Any]) -> None:
    with closing(connect(folder / "runs" / "store.sqlite")) as store:
        ((kind, study),) = store.execute("SELECT kind, study FROM runs")
        ((values,),) = store.execute("SELECT count(*) FROM monitored_values")
        fired = dict(
            store.execute("SELECT feature, state FROM monitored_alarms WHERE kind = 'drift'")
        )

    assert (kind, study) == ("monitoring", STUDY)
    assert values == len(found["values"]) > 0
    assert fired["AGE"] == "fired"


def test_no_subject_and_no_sum_is_left_behind(
    folder: Path, ended: subprocess.CompletedProcess[str]
) -> None:
    def files() -> Iterator[Path]:
        yield from (path for path in (folder / "runs").rglob("*") if path.is_file())

    assert ended.returncode == 4
    assert not [path for path in each(files()) if "sums" in path.parts or path.suffix == ".pickle"]
    assert not [path for path in each(files()) if b"s199" in path.read_bytes()]
