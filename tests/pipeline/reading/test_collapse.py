"""A file with several rows of a subject, read as one row for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import UserError
from tests.components.trial_example_gen.hand_made_trial import make_trial

COLLAPSED: dict[str, Any] = {"datasets.dm.collapse": True}


def dm(*rows: str) -> list[str]:
    return ["USUBJID,AGE,SEX,DIED", *rows]


def test_rows_that_agree_in_what_is_read_are_one_subject(tmp_path: Path) -> None:
    # SEX is not read.
    trial = make_trial(tmp_path, COLLAPSED, dm=dm("S1,61,F,Y", "S2,72,M,N", "S1,61,M,Y"))
    assert trial.subjects == ["S1", "S2"]
    assert trial.feature("AGE") == {"S1": 61.0, "S2": 72.0}
    assert trial.rejects == []


@pytest.mark.parametrize("other", ["S1,62,F,Y", "S1,61,F,N", "S1,,F,Y"])
def test_subject_whose_rows_differ_is_rejected_with_all_of_them(tmp_path: Path, other: str) -> None:
    trial = make_trial(tmp_path, COLLAPSED, dm=dm("S1,61,F,Y", "S2,72,M,N", other))
    assert trial.subjects == ["S2"]
    reason = "more than one row for a subject where one is due"
    rejected = [(row, why) for name, _, row, _, why in trial.rejects if name == "dm"]
    assert rejected == [(1, reason), (3, reason)]


def test_without_it_rows_that_agree_are_rejected(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, dm=dm("S1,61,F,Y", "S2,72,M,N", "S1,61,F,Y"))
    assert trial.subjects == ["S2"]


def test_same_file_is_read_as_subjects_and_as_rows(tmp_path: Path) -> None:
    long = ["USUBJID,AGE,DIED,LBTESTCD,LBDY,LBSTRESN"]
    long += [f"S1,61,Y,ALT,{day},{day + 0.5}" for day in (1, 8, 15, 40)]
    long += ["S2,72,N,ALT,2,9.5"]
    changes = COLLAPSED | {"datasets.lb.file": "dm.csv"}
    trial = make_trial(tmp_path, changes, dm=long, lb=["USUBJID,LBTESTCD,LBDY,LBSTRESN"])
    assert trial.feature("AGE") == {"S1": 61.0, "S2": 72.0}
    assert trial.feature("alt") == {"S1": 15.5, "S2": 9.5}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visits=st.lists(st.integers(1, 5), min_size=2, max_size=9))
def test_number_of_repeats_changes_nothing_and_every_row_is_counted(
    tmp_path: Path, visits: list[int]
) -> None:
    once = [f"S{i},{20 + i},F,{'YN'[i % 2]}" for i in range(len(visits))]
    often = [row for row, n in zip(once, visits, strict=True) for _ in range(n)]

    trial = make_trial(tmp_path, COLLAPSED, dm=dm(*often))

    assert trial.feature("AGE") == make_trial(tmp_path, dm=dm(*once)).feature("AGE")
    assert trial.reading.counts["datasets", "dm", "used"] == sum(visits)


def test_it_belongs_to_one_row_per_subject(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`collapse` makes one row per subject"):
        make_trial(tmp_path, {"datasets.lb.collapse": True})
