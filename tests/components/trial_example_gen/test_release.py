"""TrialExampleGen compares a run with the earlier releases of its study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.reading.contributions import read_contributions
from pipeline.results.evaluation_plan import read_plan
from pipeline.results.release import Release, read_release
from pipeline.runs.releases import SUBJECTS, differences
from tests.components.trial_example_gen.executor_data import (
    FOLLOWED,
    N,
    lab_rows,
    study,
    subject_rows,
)
from tests.components.trial_example_gen.executor_runs import KEY, SPLITS, Outputs, execute

EARLIER = range(N - 60)
"""Subjects of the first cut."""


class Nights:
    """Runs of one study from night to night, which share a registry."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def run(self, subjects: range, value: Any = None, **changes: Any) -> Outputs:
        """Runs a cut.

        Args:
            subjects: Numbers of its subjects.
            value: Age of its first subject, where it is changed.
            changes: Changes of the study file.
        """
        self._number += 1
        data = self._folder / f"data{self._number}"
        data.mkdir()
        people = subject_rows().iloc[list(subjects)]
        if value is not None:
            people.loc[people.index[0], "AGE"] = value
        people.to_csv(data / "dm.csv", index=False)
        lab: pd.DataFrame = lab_rows()
        lab[lab["USUBJID"].isin(people["USUBJID"])].to_csv(data / "lb.csv", index=False)
        return execute(
            study(**changes),
            data,
            self._folder / f"run{self._number}",
            registry_root=str(self._folder / "registry"),
        )

    def release(self, subjects: range, value: Any = None, **changes: Any) -> Release:
        """What a cut's run may show, the same beside its examples and its rejects."""
        outputs = self.run(subjects, value, **changes)
        found = [read_release(f"{outputs.folder}/{name}") for name in ("examples", "rejects")]
        assert found[0] == found[1]
        return found[0]


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    made = Nights(tmp_path)
    assert not made.release(EARLIER).is_held_back
    return made


def test_a_cut_with_one_subject_more_is_held_back(nights: Nights) -> None:
    release = nights.release(range(EARLIER.stop + 1))
    assert release.is_held_back
    assert release.smallest_group == study().slicing.smallest_group
    # The cut that is shown stays so, and no later one with few other subjects is.
    assert not nights.release(EARLIER).is_held_back
    assert nights.release(range(EARLIER.stop - 1)).is_held_back


def test_a_changed_value_is_held_back(nights: Nights) -> None:
    assert nights.release(EARLIER, value=41.0).is_held_back


def test_a_moved_edge_of_a_band_is_held_back(nights: Nights) -> None:
    """Three of each fifty subjects are of the age between the old edge and the new one."""
    bands = {"slicing.by.age.bands": [51, 65]}
    assert nights.release(EARLIER, **bands).is_held_back


def test_what_changes_no_value_is_the_same_release(nights: Nights) -> None:
    title = {"features.AGE.title": "Age at randomisation"}
    assert not nights.release(EARLIER, **title).is_held_back


def test_a_cut_with_many_new_subjects_is_shown(nights: Nights) -> None:
    release = nights.release(range(N), **{"slicing.smallest_group": 5})
    assert release == Release(smallest_group=5)


def test_the_plan_of_a_run_that_is_held_back_has_no_number(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    auto = {"evaluation": {"scheme": "auto"}}
    plans = [
        read_plan(f"{nights.run(subjects, **auto).folder}/rejects")
        for subjects in (EARLIER, range(EARLIER.stop + 1))
    ]
    assert plans[0].choice is not None
    assert plans[1].choice is None
    assert plans[0].scheme == plans[1].scheme


def test_weights_that_all_subjects_share_do_not_hide_a_new_one(tmp_path: Path) -> None:
    """One subject more changes the weight of many for the follow-up that ended."""
    nights = Nights(tmp_path)
    first, second = (
        nights.run(subjects, **FOLLOWED) for subjects in (EARLIER, range(EARLIER.stop + 1))
    )
    task = "weight_death_by_day_90"
    weights = [
        {name: row[1][task] for name, row in run.by_subject.items()} for run in (first, second)
    ]
    assert sum(weights[1][name] != weight for name, weight in weights[0].items()) > 20
    found = differences(
        *(read_contributions(run.artifact, SPLITS, KEY.encode()) for run in (first, second))
    )
    assert found[SUBJECTS] == found[task] == 1


def test_without_a_registry_nothing_is_compared(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    subject_rows().to_csv(data / "dm.csv", index=False)
    lab_rows().to_csv(data / "lb.csv", index=False)
    outputs = execute(study(), data, tmp_path / "run")
    assert read_release(f"{outputs.folder}/rejects") == Release()
