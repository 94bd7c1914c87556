"""Competing events: landmark on study day 28, horizon on day 90; a death competes with a rash."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from components.trial_example_gen.censoring import count_ends, fit_censoring, strata_by_slices
from components.trial_example_gen.labels import derive_labels
from pipeline.errors import UserError
from pipeline.study.digest import label_digest
from tests.components.trial_example_gen.hand_made_trial import (
    FOLLOWED_RASH,
    REMOVED,
    Trial,
    hand_made_study,
    make_trial,
)

CHANGES: dict[str, Any] = {
    **FOLLOWED_RASH,
    "tasks.rash.event.competing": {"column": "AEDECOD", "equals": "Death"},
}
NO_LAB = ["USUBJID,LBTESTCD,LBDY,LBSTRESN"]


def trial_of(folder: Path, subjects: dict[str, int], *events: str, **changes: Any) -> Trial:
    dm = ["USUBJID,AGE,SEX,DIED,LASTDY", *(f"{s},61,F,Y,{day}" for s, day in subjects.items())]
    ae = ["USUBJID,AEDECOD,AESTDY", *events]
    return make_trial(folder, {**CHANGES, **changes}, dm=dm, ae=ae, lb=NO_LAB)


def label(folder: Path, last: int, *events: str, **changes: Any) -> tuple[bool | None, str | None]:
    """Label of S1, last seen on a day, with these events (term, day), and why it is unknown."""
    trial = trial_of(folder, {"S1": last}, *(f"S1,{event}" for event in events), **changes)
    return trial.label("rash")["S1"], trial.reason("rash")["S1"]


def test_a_competing_event_first_makes_a_known_negative(tmp_path: Path) -> None:
    assert label(tmp_path, 50, "Death,50") == (False, None)


def test_without_the_key_its_subject_is_censored(tmp_path: Path) -> None:
    changes = {"tasks.rash.event.competing": None}

    assert label(tmp_path, 50, "Death,50", **changes) == (None, "not followed to the horizon")


def test_an_event_before_the_competing_one_is_positive(tmp_path: Path) -> None:
    assert label(tmp_path, 50, "Rash,40", "Death,50") == (True, None)


def test_on_one_day_the_event_counts(tmp_path: Path) -> None:
    assert label(tmp_path, 50, "Rash,50", "Death,50") == (True, None)


def test_an_event_after_the_competing_one_does_not_count(tmp_path: Path) -> None:
    assert label(tmp_path, 95, "Death,40", "Rash,50") == (False, None)


def test_a_competing_event_by_the_landmark_masks(tmp_path: Path) -> None:
    assert label(tmp_path, 95, "Death,20") == (None, "event at or before the landmark")


def test_a_competing_event_after_the_horizon_changes_nothing(tmp_path: Path) -> None:
    assert label(tmp_path, 95, "Death,95") == (False, None)


@pytest.mark.parametrize("last", [50, 95])
def test_an_undated_competing_event_masks(tmp_path: Path, last: int) -> None:
    assert label(tmp_path, last, "Death,") == (None, "undated event")


def test_what_may_be_a_competing_event_is_not_the_end_of_follow_up(tmp_path: Path) -> None:
    assert label(tmp_path, 50, ",50")[1] == "missing value"


def test_a_rejected_row_that_may_compete_masks_who_was_not_followed(tmp_path: Path) -> None:
    assert label(tmp_path, 50, "Death,UNK") == (None, "rejected row")


def test_a_rejected_row_that_may_compete_masks_a_later_event(tmp_path: Path) -> None:
    assert label(tmp_path, 95, "Death,UNK", "Rash,50") == (None, "rejected row")


def test_who_has_a_competing_event_is_no_more_at_risk_of_being_censored(tmp_path: Path) -> None:
    """Ten subjects, as in test_incidence: 1/10 + .7875/5 by Aalen and Johansen."""
    last = {"S0": 40, "S1": 40, "S2": 50, "S3": 60, "S4": 60, "S5": 70}
    last |= {f"S{number}": 90 for number in range(6, 10)}
    trial = trial_of(tmp_path, last, "S0,Rash,40", "S2,Death,50", "S5,Rash,70")
    ends = derive_labels(trial.study, trial.joined)["rash"].ends
    assert ends is not None
    strata = strata_by_slices(None, [], len(last))

    model = fit_censoring(trial.study, count_ends("rash", strata, ends))

    weights = dict(zip(trial.subjects, model.weights["rash"].of(strata, ends), strict=True))
    of_ends = 63 / 40
    expected = {"S0": 1, "S1": 0, "S2": 9 / 8, "S3": 0, "S4": 0, "S5": of_ends}
    assert weights == pytest.approx(expected | {f"S{n}": of_ends for n in range(6, 10)})
    [arm] = model.documents["rash"].arms.values()
    assert (arm.events, arm.competing, arm.censored) == (2, 1, 3)
    assert arm.risk.value == arm.weighted == pytest.approx(0.1 + 0.7875 / 5)


def test_a_study_without_where_can_not_name_what_competes() -> None:
    with pytest.raises(UserError, match=r"tasks\.rash\.event\.competing: .*`where`"):
        hand_made_study({**CHANGES, "tasks.rash.event.where": REMOVED})


def test_a_column_that_decides_what_competes_can_not_be_a_feature() -> None:
    changes = {
        **CHANGES,
        "tasks.rash.event.dataset": "dm",
        "tasks.rash.event.day": "LASTDY",
        "tasks.rash.event.where": {"column": "DIED", "equals": "Y"},
        "tasks.rash.event.competing": {"column": "SEX", "equals": "F"},
        "features.SEX": {"kind": "category"},
        "datasets.dm.columns.SEX.known": "baseline",
    }

    with pytest.raises(UserError, match="column SEX decides a label"):
        hand_made_study(changes)


def test_the_label_digest_covers_what_competes() -> None:
    other = {"column": "AEDECOD", "equals": "Transplant"}
    digests = {
        label_digest(hand_made_study({**CHANGES, "tasks.rash.event.competing": competing}))
        for competing in (CHANGES["tasks.rash.event.competing"], other)
    }

    assert Counter(len(digest) for digest in digests).total() == 2
