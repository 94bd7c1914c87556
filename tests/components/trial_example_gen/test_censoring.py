"""Weights of known labels: landmark on study day 28, horizon on day 90."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trial_example_gen.censoring import EndCounts, Stratum, count_ends, fit_censoring
from components.trial_example_gen.ends import EndKind, Ends
from components.trial_example_gen.labels import derive_labels
from pipeline.results.censoring import CensoredArm
from tests.components.trial_example_gen.hand_made_trial import (
    FOLLOWED_RASH,
    hand_made_study,
    make_trial,
)

NO_LAB = ["USUBJID,LBTESTCD,LBDY,LBSTRESN"]
EVENT, COMPETING, COMPLETE, CENSORED = (
    EndKind.EVENT,
    EndKind.COMPETING,
    EndKind.COMPLETE,
    EndKind.CENSORED,
)
A = ("A",)
TEN: EndCounts = Counter(
    {
        ("rash", A, 40.0, EVENT): 1,
        ("rash", A, 40.0, CENSORED): 1,
        ("rash", A, 50.0, EVENT): 1,
        ("rash", A, 60.0, CENSORED): 2,
        ("rash", A, 70.0, EVENT): 1,
        ("rash", A, 90.0, COMPLETE): 4,
    }
)


def ends_of(
    folder: Path, subjects: dict[str, str], *events: str, **changes: Any
) -> dict[str, tuple[float, str] | None]:
    """How the observation of subjects ended, who were last seen on a day; None if outside."""
    dm = ["USUBJID,AGE,SEX,DIED,LASTDY", *(f"{s},61,F,Y,{day}" for s, day in subjects.items())]
    ae = ["USUBJID,AEDECOD,AESTDY", *events]
    trial = make_trial(folder, {**FOLLOWED_RASH, **changes}, dm=dm, ae=ae, lb=NO_LAB)
    ends = derive_labels(trial.study, trial.joined)["rash"].ends
    assert ends is not None
    return {
        subject: (time, EndKind(kind).name) if kind else None
        for subject, time, kind in zip(
            trial.subjects, ends.time.tolist(), ends.kind.tolist(), strict=True
        )
    }


def arms_of(counts: EndCounts, **censoring: Any) -> dict[str, CensoredArm]:
    changes = {**FOLLOWED_RASH, "tasks.rash.censoring": censoring} if censoring else FOLLOWED_RASH
    return fit_censoring(hand_made_study(changes), counts).documents["rash"].arms


def test_observation_ends_with_the_event_the_horizon_or_the_follow_up(tmp_path: Path) -> None:
    seen = {"S1": "95", "S2": "90", "S3": "89", "S4": "45"}

    assert ends_of(tmp_path, seen, "S1,Rash,40", "S4,Rash,45") == {
        "S1": (40.0, "EVENT"),
        "S2": (90.0, "COMPLETE"),
        "S3": (89.0, "CENSORED"),
        "S4": (45.0, "EVENT"),
    }


@pytest.mark.parametrize(
    ("last", "end"), [("27", None), ("28", None), ("29", (29.0, "CENSORED")), ("", None)]
)
def test_who_was_not_observed_after_the_landmark_is_not_in_the_model(
    tmp_path: Path, last: str, end: tuple[float, str] | None
) -> None:
    assert ends_of(tmp_path, {"S1": last, "S2": "95"}, "S9,Rash,60")["S1"] == end


def test_where_events_of_the_landmarks_day_count_so_does_its_observation(tmp_path: Path) -> None:
    changes = {
        "landmark": "baseline",
        "tasks.rash.event.landmark_day": "after",
        "features": {"AGE": {"kind": "number"}},
    }

    found = ends_of(tmp_path, {"S1": "1", "S2": "0"}, "S9,Rash,60", **changes)

    assert found == {"S1": (1.0, "CENSORED"), "S2": None}


def test_a_label_that_is_unknown_for_another_reason_is_not_in_the_model(tmp_path: Path) -> None:
    seen = {"S1": "95", "S2": "50", "S3": "95"}
    events = ("S1,Rash,", "S2,Rash,20", "S3,Rash,UNK")

    assert set(ends_of(tmp_path, seen, *events).values()) == {None}


def test_weights_are_1_over_the_probability_of_being_observed() -> None:
    model = fit_censoring(hand_made_study(FOLLOWED_RASH), TEN)
    ends = Ends(
        np.array([40.0, 40.0, 50.0, 70.0, 90.0, np.nan]),
        np.array([EVENT, CENSORED, EVENT, EVENT, COMPLETE, EndKind.OUTSIDE], np.int8),
    )

    weights = model.weights["rash"].of([A] * 6, ends)

    assert weights.tolist() == pytest.approx([1, 0, 9 / 8, 63 / 40, 63 / 40, 0], abs=1e-12)


def test_risk_naive_share_and_effective_sample_size_of_an_arm() -> None:
    [arm] = arms_of(TEN).values()

    assert (arm.subjects, arm.events, arm.complete, arm.censored) == (10, 3, 4, 3)
    assert arm.risk.value == pytest.approx(0.37)
    assert arm.weighted == pytest.approx(0.37)
    assert arm.naive == pytest.approx(3 / 7)
    assert arm.effective == pytest.approx(100 / (1 + 1.125**2 + 5 * 1.575**2))
    assert (arm.largest_weight, arm.truncated) == (pytest.approx(1.575), 0)


def test_complete_follow_up_has_weights_of_exactly_1() -> None:
    counts: EndCounts = Counter(
        {("rash", A, float(day), EVENT): day for day in range(30, 90, 7)}
        | {("rash", A, 90.0, COMPLETE): 333}
    )
    model = fit_censoring(hand_made_study(FOLLOWED_RASH), counts)

    weights = model.weights["rash"].at(A, np.arange(30.0, 91))

    assert set(weights.tolist()) == {1.0}
    assert model.documents["rash"].is_complete


def test_weights_are_cut_to_the_largest_and_counted() -> None:
    [arm] = arms_of(TEN, largest_weight=1.5).values()

    assert (arm.largest_weight, arm.truncated) == (1.5, 5)
    assert arm.weighted == pytest.approx((1 + 1.125 + 1.5) / (1 + 1.125 + 5 * 1.5))
    assert arm.risk.value == pytest.approx(0.37)


def planted(arm: str, censored: int, slice_: str = "", n: int = 100) -> EndCounts:
    """A tenth of the subjects have the event on day 80; before that some leave, on day 50."""
    stratum: Stratum = (arm, slice_) if slice_ else (arm,)
    left = n - censored
    return Counter(
        {
            ("rash", stratum, 50.0, CENSORED): censored,
            ("rash", stratum, 80.0, EVENT): left // 10,
            ("rash", stratum, 90.0, COMPLETE): left - left // 10,
        }
    )


def test_every_arm_has_weights_of_its_own() -> None:
    model = fit_censoring(hand_made_study(FOLLOWED_RASH), planted("A", 50) + planted("B", 0))

    at_80 = np.array([80.0])
    assert model.weights["rash"].at(("A",), at_80).tolist() == pytest.approx([2.0])
    assert model.weights["rash"].at(("B",), at_80).tolist() == [1.0]


def test_the_risk_of_all_subjects_is_that_of_the_arms_by_their_share() -> None:
    counts = planted("A", 50) + planted("B", 0, n=300)

    found = fit_censoring(hand_made_study(FOLLOWED_RASH), counts).documents["rash"].overall

    assert found is not None
    expected = (100 * 5 / 50 + 300 * 30 / 300) / 400
    assert (found.subjects, found.censored) == (400, 50)
    assert (found.risk.value, found.weighted) == (pytest.approx(expected), pytest.approx(expected))
    assert found.risk.lower is not None
    assert found.risk.lower < expected


BY_SEX: dict[str, Any] = {
    "slicing.by": {"sex": {"column": "SEX"}},
    "datasets.dm.columns.SEX.known": "baseline",
    "tasks.rash.censoring": {"by": ["sex"]},
}


def test_slices_have_weights_of_their_own_where_the_study_says_so() -> None:
    counts = planted("A", 50, "F") + planted("A", 0, "M")

    model = fit_censoring(hand_made_study({**FOLLOWED_RASH, **BY_SEX}), counts)

    at_80 = np.array([80.0])
    assert model.weights["rash"].at(("A", "F"), at_80).tolist() == pytest.approx([2.0])
    assert model.weights["rash"].at(("A", "M"), at_80).tolist() == [1.0]
    assert model.documents["rash"].arms["A"].strata == 2


def test_small_slices_of_an_arm_are_weighted_together() -> None:
    counts = planted("A", 50, "F") + planted("A", 10, "M", n=20) + planted("A", 0, "X", n=40)

    model = fit_censoring(hand_made_study({**FOLLOWED_RASH, **BY_SEX}), counts)

    at_80 = np.array([80.0])
    together = [model.weights["rash"].at(("A", s), at_80).tolist()[0] for s in "MX"]
    assert together == pytest.approx([60 / 50] * 2)
    assert model.documents["rash"].arms["A"].small_strata == 2


def test_a_tiny_arm_of_which_no_subject_is_observed_is_weighted_as_all_arms_together() -> None:
    tiny: EndCounts = Counter({("rash", ("missing",), 50.0, CENSORED): 1})
    arms = arms_of(planted("A", 49) + tiny)

    assert arms["missing"].is_pooled
    assert arms["missing"].risk.value is None
    assert arms["A"].risk.value == pytest.approx(5 / 51)


ENDS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B"]),
        st.sampled_from([30.0, 45.0, 60.0, 89.0]),
        st.sampled_from([EVENT, COMPETING, CENSORED]),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(ends=ENDS, buckets=st.integers(1, 4))
def test_weights_do_not_depend_on_who_counted_whom(
    ends: list[tuple[str, float, EndKind]], buckets: int
) -> None:
    ends = [*ends, ("A", 90.0, COMPLETE), ("B", 90.0, COMPLETE)]
    study = hand_made_study(FOLLOWED_RASH)

    def counted(subjects: list[tuple[str, float, EndKind]]) -> EndCounts:
        times, kinds = [time for _, time, _ in subjects], [kind for *_, kind in subjects]
        found = Ends(np.array(times, float), np.array(kinds, np.int8))
        return count_ends("rash", [(arm,) for arm, *_ in subjects], found)

    parts: EndCounts = Counter()
    for bucket in reversed(range(buckets)):
        parts.update(counted(ends[bucket::buckets]))

    found = fit_censoring(study, parts).documents["rash"]
    assert found == fit_censoring(study, counted(ends)).documents["rash"]
    assert [arm.weighted for arm in found.arms.values()] == pytest.approx(
        [arm.risk.value for arm in found.arms.values()], abs=1e-12
    )
