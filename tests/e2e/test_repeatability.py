"""The same data, key and seed give the same metrics; another seed gives others.

The key takes part because the jackknife's groups follow from the subjects' hashes: with another
one the point estimates stay, the intervals are estimated from other groups.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.subject_key import KEY_VARIABLE
from tests.whole_runs import SUBJECT_KEY, Run, small_run

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Runs:
    """Runs on the same data, each on a fresh root."""

    first: Run
    again: Run
    other_seed: Run
    other_key: Run


@pytest.fixture(scope="module")
def runs(champion: Run, lenient_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("repeat")
    key = {KEY_VARIABLE: SUBJECT_KEY}
    data = ("--data", champion.file["data_root"])
    return Runs(
        first=champion,
        again=small_run(folder / "again" / "runs", lenient_study, *data),
        other_seed=small_run(folder / "seed" / "runs", lenient_study, *data, "--seed", "4"),
        other_key=small_run(folder / "key" / "runs", lenient_study, *data, **key),
    )


def test_the_same_seed_gives_the_same_metrics_to_the_last_digit_intervals_included(
    runs: Runs,
) -> None:
    assert runs.again.metrics_text == runs.first.metrics_text


def test_another_seed_of_training_gives_other_metrics_of_the_same_subjects(runs: Runs) -> None:
    assert runs.other_seed.counts == runs.first.counts
    assert runs.other_seed.metrics_text != runs.first.metrics_text


BY_PLACE = {"random_forest", "gradient_boosting"}
"""Reference models whose fit depends on the order of the rows."""


def _training(run: Run) -> dict[str, Any]:
    """The record of the training but for the time that it took."""
    record = json.loads((run.output("Trainer", "model_run") / "training.json").read_text())
    assert record.pop("seconds") > 0
    return record


def test_another_key_leaves_the_training_as_it_is(runs: Runs) -> None:
    assert _training(runs.other_key) == _training(runs.first)


@pytest.mark.parametrize("metric", ["auc", "brier", "observed_rate", "mean_prediction"])
def test_another_key_leaves_the_point_estimates_as_they_are(runs: Runs, metric: str) -> None:
    """Forest and boosting draw rows by their place, and the pseudonym decides the place."""

    def points(run: Run) -> list[float]:
        return [
            record["value"]
            for record in run.metrics
            if record["metric"] == metric
            and {record["model"], record["versus"]}.isdisjoint(BY_PLACE)
        ]

    assert len(points(runs.first)) > 3
    assert points(runs.other_key) == pytest.approx(points(runs.first), abs=1e-6)
