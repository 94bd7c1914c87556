"""Weights as TrialExampleGen writes them, of the subjects of `executor_data`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.reading import buckets
from tests.components.trial_example_gen.executor_data import (
    FOLLOWED,
    WRITERS,
    study,
    subject_rows,
    write_data,
)
from tests.components.trial_example_gen.executor_runs import Outputs, execute


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


def weighted_death(outputs: Outputs, arm: str) -> tuple[float, float]:
    """Sum of an arm's weights, and the share of them that has the event."""
    examples = [e for _, e in outputs.by_subject.values() if e["arm"] == arm]
    weights = np.array([e["weight_death_by_day_90"] for e in examples], float)
    labels = np.array([e["label_death_by_day_90"] for e in examples], float)
    return float(weights.sum()), float((weights * labels).sum() / weights.sum())


def test_known_labels_are_weighted_for_those_who_were_not_followed(
    data: Path, tmp_path: Path
) -> None:
    followed = study(**{**FOLLOWED, "tasks.death_by_day_90.censoring": {}})
    outputs = execute(followed, data, tmp_path / "run")
    arms = outputs.counts["censoring"]["death_by_day_90"]["arms"]

    expected = [(arms[arm]["subjects"], arms[arm]["risk"]["value"]) for arm in ("A", "B")]
    found = [weighted_death(outputs, arm) for arm in ("A", "B")]
    assert np.array(found) == pytest.approx(np.array(expected), rel=1e-6)
    assert arms["A"]["censored"] > 0
    assert {e["weight_death"] for _, e in outputs.by_subject.values()} == {0.0, 1.0}


def test_weights_are_the_same_whatever_the_workers_and_bundles(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = execute(study(**FOLLOWED), data, tmp_path / "one")
    monkeypatch.setattr(buckets, "_BUCKET_BYTES", 2000)
    many = execute(study(**FOLLOWED), data, tmp_path / "many", workers=2)

    assert len({e["weight_death_by_day_90"] for _, e in one.by_subject.values()}) > 10
    assert many.by_subject == one.by_subject
    assert many.counts == one.counts


def test_where_follow_up_is_complete_it_changes_no_example_and_no_split(tmp_path: Path) -> None:
    rows = subject_rows()
    # Who does not die is seen long after the horizon.
    rows.loc[rows["DIED"] != "Y", "LASTDY"] = 200.0
    data = write_data(tmp_path / "data")
    WRITERS["csv"](rows, data / "dm.csv")
    without: dict[str, Any] = {
        **FOLLOWED,
        "tasks.death_by_day_90.event.follow_up": None,
        "tasks.death_by_day_90.censoring": {},
    }

    weighted, plain = (
        execute(study(**changes), data, tmp_path / name)
        for name, changes in (("weighted", FOLLOWED), ("plain", without))
    )

    assert weighted.counts["censoring"]["death_by_day_90"]["is_complete"]
    assert "death_by_day_90" not in plain.counts["censoring"]
    assert weighted.by_subject == plain.by_subject
    assert {e["weight_death_by_day_90"] for _, e in plain.by_subject.values()} == {1.0}
