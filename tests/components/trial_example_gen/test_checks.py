"""Messages on data that leave no subject or no label."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from components.trial_example_gen.censoring import EndCounts, fit_censoring
from components.trial_example_gen.checks import check_follow_up, check_subjects
from components.trial_example_gen.ends import EndKind
from pipeline.errors import UserError
from pipeline.results.counts import Counts, DatasetCounts
from tests.components.trial_example_gen.hand_made_trial import FOLLOWED_RASH, hand_made_study

SECOND_ROW = "more than one row for a subject where one is due"


def refusal(subjects: dict[str, int], **rows: Any) -> str:
    counts = Counts(
        datasets={"dm": DatasetCounts(**{"used": 0, "excluded": 0, "rejected": 0, **rows})},
        subjects=subjects,
        tasks={},
    )
    with pytest.raises(UserError) as caught:
        check_subjects(hand_made_study(), counts)
    return str(caught.value)


def test_rows_that_were_all_rejected_as_second_ones_are_the_reason_that_is_named() -> None:
    reasons = {SECOND_ROW: 8}
    assert refusal({}, rows_in=8, rejected=8, reasons=reasons) == (
        f"No subject is left: of 8 rows of dm, 8 were rejected ({SECOND_ROW}: 8) and 0 excluded by "
        "`population` and `window`. A subject has several rows: check the subject key "
        "(`subject.column`), name a dataset with one row per subject, or say `collapse: true` "
        "where the rows only repeat each other."
    )


def test_excluded_subjects_are_the_reason_that_is_named() -> None:
    assert refusal({}, rows_in=8, excluded=8) == (
        "No subject is left: of 8 rows of dm, 0 were rejected and 8 excluded by `population` and "
        "`window`. Check `population` and `window`."
    )


def test_a_split_without_subjects_is_named_with_where_they_went() -> None:
    reasons = {SECOND_ROW: 4}
    found = refusal({"train": 3, "eval": 1}, rows_in=8, used=4, rejected=4, reasons=reasons)
    assert found.startswith(
        f"No subject is in split test: 4 are left: of 8 rows of dm, 4 were rejected ({SECOND_ROW}: "
        "4) and 0 excluded by `population` and `window`. A subject has several rows"
    )
    assert found.endswith("enlarge its share in `split`, or add subjects.")


def refused_follow_up(ends: EndCounts, **censoring: float) -> str:
    study = hand_made_study({**FOLLOWED_RASH, "tasks.rash.censoring": censoring})
    documents = dict(fit_censoring(study, ends).documents)
    counts = Counts(datasets={}, subjects={}, tasks={}, censoring=documents)
    with pytest.raises(UserError) as caught:
        check_follow_up(study, counts)
    return str(caught.value)


def ends_of(censored: int, complete: int) -> EndCounts:
    """Arm A; beside it arm B, of which all subjects are observed to the horizon."""
    return Counter(
        {
            ("rash", ("A",), 40.0, EndKind.EVENT): 5,
            ("rash", ("A",), 60.0, EndKind.CENSORED): censored,
            ("rash", ("A",), 90.0, EndKind.COMPLETE): complete,
            ("rash", ("B",), 90.0, EndKind.COMPLETE): 95,
        }
    )


def test_an_arm_of_which_no_subject_reaches_the_horizon_is_refused() -> None:
    assert refused_follow_up(ends_of(censored=95, complete=0)) == (
        "Task rash: no subject of arm A is observed up to the horizon (tasks.rash.horizon: study "
        "day 90): nothing is known of the risk by then. Choose an earlier horizon, or check "
        "`event.follow_up`."
    )


def test_weights_that_explode_are_refused() -> None:
    assert refused_follow_up(ends_of(censored=94, complete=1)) == (
        "Task rash: the estimated probability of being observed up to the horizon "
        "(tasks.rash.horizon: study day 90) is 0.011 of arm A, at least 0.02 is needed: the few "
        "known labels would stand for too many others. Choose an earlier horizon, or change "
        "tasks.rash.censoring (least_observed, by)."
    )


def test_the_study_says_how_few_may_be_observed() -> None:
    ends = ends_of(censored=80, complete=15)

    assert "0.158 of arm A, at least 0.2 is needed" in refused_follow_up(ends, least_observed=0.2)
