"""The whole loop: outcomes change, an alarm says so, the model is trained again and is right again.

From May 2023 on the subjects of the synthetic trial respond more often, for reasons that no input
shows. The champion is trained on the months before, and predicts those who come then. The outcomes
of all but the last months become known; for the last ones it is compared with the next champion.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.names import SUBJECT_HASH
from pipeline.predictions.parquet_log import ParquetLog
from pipeline.predictions.rows import PREDICTION
from pipeline.results.scored_file import MODEL
from pipeline.runs.registry import Registry
from pipeline.subject_key import KEY_VARIABLE
from pipeline.synthetic.changes import Change
from pipeline.synthetic.trial import SyntheticTrial
from pipeline.synthetic.write import write
from tests.e2e.earlier_log import write_earlier
from tests.whole_runs import LENIENT, REPOSITORY, SUBJECT_KEY, environment, study_copy

pytestmark = pytest.mark.slow

STUDY, TASK = "synthetic", "response"
CHANGED, LAST = "2023-05", "2024-04"
"""Months: of the change, and from which on no outcome is known when the model is trained again."""

CHANGE = Change("concept", CHANGED, 1.2)
DATA: dict[str, dict[str, Any]] = {
    "first": {"enrolled_until": CHANGED},
    "new": {"enrolled_from": CHANGED},
    "cut": {"enrolled_until": LAST},
    "last": {"enrolled_from": LAST},  # For the outcomes alone.
    "broken": {"enrolled_from": LAST, "changes": (CHANGE, Change("feed", LAST, 1.0))},
}
DAYS_LATER = 31
"""From the first training to the next; the study file allows one in 30 days."""


def write_study(folder: Path) -> Path:
    """Writes the synthetic trial's study file and curated schema, with one of its tasks."""
    shipped = yaml.safe_load((REPOSITORY / "schema" / STUDY / "study.yaml").read_text())
    tasks = shipped["tasks"]
    changes: dict[Sequence[str], Any] = {
        **LENIENT,
        ("tasks",): {TASK: {**tasks[TASK], "title": TASK}},
        ("training",): {"reference_models": []},
        ("slicing",): {"by": {"arm": {"of": "arm"}}, "smallest_group": 20},
        ("thresholds",): [
            {"metric": "auc", "at_least": 0.5},
            {"metric": "brier", "at_most": 0, "versus": "champion"},
        ],
        ("registry",): {"promotion": "automatic"},
        ("analysis",): {},
        ("summary",): {},
        ("retrain",): {"when": ["calibration"], "at_least_new_outcomes": 1_000},
    }
    study = study_copy(folder, changes)
    path = folder / "schema.pbtxt"
    schema = text_format.Parse(path.read_text(), schema_pb2.Schema())
    others = {"slice_sex", "slice_age_band"}
    others |= {f"{part}_{task}" for part in ("label", "weight") for task in tasks if task != TASK}
    kept = [feature for feature in schema.feature if feature.name not in others]
    del schema.feature[:]
    schema.feature.extend(kept)
    path.write_text(text_format.MessageToString(schema))
    return study


@dataclass(frozen=True)
class Loop:
    """What the commands of the loop are ended on, one after the other.

    Attributes:
        folder: Holds the study file, the data, the root and the logs.
        study: The study file.
    """

    folder: Path
    study: Path

    def trial(
        self, name: str, *words: str | Path, code: int = 0, later: int = 0, root: str = "runs"
    ) -> Any:
        """Ends `trial NAME`.

        Args:
            name: Of the command.
            words: Its further words.
            code: Exit code that it must have.
            later: Days by which its clock is fast, of `retrain` alone.
            root: Name of the folder that it runs below.

        Returns:
            Its answer.
        """
        module = ["tests.e2e.later_retraining", str(later)] if later else ["pipeline.cli", name]
        ended = subprocess.run(
            [sys.executable, "-m", *module, *words, "--root", self.folder / root, "--json"],
            cwd=self.folder,
            env=environment(**{KEY_VARIABLE: SUBJECT_KEY}),
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert ended.returncode == code, f"{ended.stdout}\n{ended.stderr}"
        return json.loads(ended.stdout)

    def score(self, data: str, *words: str | Path, **more: Any) -> Any:
        """Ends `trial score` on some of the data."""
        return self.trial("score", self.study, self.folder / data, *words, **more)

    def retrain(self, *words: str | Path, **more: Any) -> Any:
        """Ends `trial retrain` on the cut, decided as if it were a month later."""
        given = (self.study, self.folder / "cut", "--steps", "60", *words)
        return self.trial("retrain", *given, later=DAYS_LATER, **more)

    def registry(self, root: str = "runs") -> Registry:
        """The registry below a root."""
        return Registry(str(self.folder / root / "registry"))

    @property
    def champion(self) -> str:
        """Id of the present champion."""
        return self.registry().book(STUDY).standing.champion

    def decisions(self, root: str = "runs") -> list[tuple[str, str]]:
        """Decisions on a retraining in the audit trail, with their reasons."""
        entries = self.registry(root).book(STUDY).entries()
        return [(e.action, e.reason) for e in entries if e.action.startswith("retraining")]


def responses(folder: Path) -> pd.Series[bool]:
    """Who responded, by the original key: of those who came in week 12."""
    (path,) = folder.glob("advs-*.xpt")
    visits = pd.read_sas(path, format="xport", encoding="ascii")
    last = visits.query("PARAMCD == 'SCORE' and AVISITN == 12").set_index("USUBJID")
    return last.PCHG <= -50


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """A champion, and the outcomes of those whom it predicted."""
    folder = tmp_path_factory.mktemp("loop")
    for name, parameters in DATA.items():
        write(SyntheticTrial(3_000, **{"changes": (CHANGE,), **parameters}), str(folder / name))
    found = Loop(folder, write_study(folder / "study"))
    log = ("--prediction-log", folder / "log")
    run = ("--study", found.study, "--data", folder / "first", "--steps", "60")
    assert found.trial("run", *run)["verdict"] == "blessed"
    found.score("new", "--out", "store", *log)
    found.trial("outcomes", found.study, folder / "cut", *log)
    write_earlier(STUDY, ParquetLog(str(folder / "log")), ParquetLog(str(folder / "earlier")))
    return found


@pytest.fixture(scope="module")
def monitored(loop: Loop) -> dict[str, Any]:
    """Answer of `trial monitor`."""
    log = ("--prediction-log", loop.folder / "earlier")
    found: dict[str, Any] = loop.trial("monitor", loop.study, *log)
    return found


@dataclass(frozen=True)
class Retrained:
    """A retraining that has ended.

    Attributes:
        champion: Id of the champion before it.
        answer: Of `trial retrain`.
        predicted: By pseudonym, what the champion after it predicted, with original keys.
    """

    champion: str
    answer: dict[str, Any]
    predicted: pd.DataFrame


@pytest.fixture(scope="module")
def retrained(loop: Loop, monitored: dict[str, Any]) -> Retrained:
    assert monitored["alarms"]
    champion, answer = loop.champion, loop.retrain()
    file = loop.folder / "after.csv"
    loop.score("new", "--with-subject", "--out", file)
    return Retrained(champion, answer, pd.read_csv(file).set_index(SUBJECT_HASH))


def test_the_alarm_is_on_calibration_alone(monitored: dict[str, Any]) -> None:
    alarms = monitored["alarms"]

    assert [(alarm["kind"], alarm["task"]) for alarm in alarms] == [("calibration", TASK)]
    assert alarms[0]["direction"] == "too_low"


def test_a_broken_feed_starts_nothing_and_is_for_people(
    loop: Loop, monitored: dict[str, Any]
) -> None:
    shutil.copytree(loop.folder / "runs" / "registry", loop.folder / "feed" / "registry")
    run = loop.score("broken", root="feed", code=2)["run"]
    # The same alarm, which trains the model in the other tests.
    answer = loop.retrain("--monitoring", monitored["paths"]["monitoring"], root="feed", code=2)
    why = f"The gate stopped the newest scoring, {run}. Look at the data first."

    assert answer["why"] == [why]
    assert answer["is_for_people"]
    assert not answer["retrain"]
    assert loop.decisions("feed") == [("retraining_declined", why)]
    assert [path.name for path in (loop.folder / "feed" / STUDY).iterdir()] == ["scoring"]


def test_the_alarm_trains_the_model_again(loop: Loop, retrained: Retrained) -> None:
    answer = retrained.answer
    alarm, outcomes = answer["why"]

    assert answer["retrain"]
    assert alarm.startswith(f"Predictions of {TASK} are too low")
    assert int(outcomes.removesuffix(" new outcomes are known.")) > 1_000
    assert loop.decisions() == [("retraining_started", f"{alarm} {outcomes}")]
    assert (answer["status"], answer["verdict"]) == ("done", "blessed")
    assert loop.champion != retrained.champion
    assert loop.registry().entry(STUDY, loop.champion).run == answer["run"]


def test_the_new_champion_is_calibrated_in_the_new_months(loop: Loop, retrained: Retrained) -> None:
    logged = pa.concat_tables(ParquetLog(str(loop.folder / "log")).read(STUDY)).to_pandas()
    before = logged.set_index(SUBJECT_HASH)[[MODEL, PREDICTION]]
    both = retrained.predicted.join(before, rsuffix="_before").set_index("subject")
    known = both.join(responses(loop.folder / "last").rename("responded"), how="inner")
    known = known.dropna(subset=[TASK, PREDICTION])
    error, error_before = (
        float((known[name] - known.responded).mean()) for name in (TASK, PREDICTION)
    )

    assert len(known) > 300
    assert set(known[f"{MODEL}_before"]) == {retrained.champion}
    assert set(known[MODEL]) == {loop.champion}
    assert error_before < -0.15
    # A quarter of the subjects whom it was trained on came before the change.
    assert abs(error) < 0.5 * abs(error_before)
