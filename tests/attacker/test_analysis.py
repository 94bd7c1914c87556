"""The attacker reads `analysis.json` of trials with planted subjects."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from components.trial_analysis import disclosure
from components.trial_analysis.analyse import analyse
from components.trial_analysis.subjects import TrialSubjects
from pipeline.results.analysis import Analysis
from tests.attacker.analysis_document import of_analysis
from tests.attacker.extremes import known_values
from tests.attacker.finds import Find, View, find_subjects
from tests.attacker.planted_subjects import Rows, planted_trial, table_of, trial_of
from tests.components.trial_analysis.hand_made_subjects import repeated, settings_of, trial
from tests.each import each

N = 5
TASKS = ("dead", "back")
VIEWS = (
    View(("RACE",), TASKS),
    View(("AGE",), TASKS),
    View(("SEX",), TASKS),
    View(("RACE", "SEX"), ("dead",)),
)


def document_of(subjects: TrialSubjects, internal: bool = False) -> Analysis:
    return analyse(subjects, settings_of(subjects, N), internal)


def finds(subjects: TrialSubjects, internal: bool = False) -> list[Find]:
    """Everything that the attacker finds in the analysis of a trial."""
    truth = table_of(subjects)
    told = list(of_analysis(document_of(subjects, internal), truth.domains))
    views = [view for view in VIEWS if {*view.attributes} <= truth.domains.keys()]
    return [find for view in each(views) for find in find_subjects(truth, told, view, N)]


def test_planted_subjects_are_not_found_in_baseline_rates_and_screening() -> None:
    assert finds(planted_trial(slicings=())) == []


def test_planted_subjects_are_not_found_in_subgroups() -> None:
    assert finds(planted_trial(slicings=("RACE", "SEX"))) == []


def test_the_internal_analysis_gives_planted_subjects_away() -> None:
    found = {(find.kind, find.what) for find in finds(planted_trial(slicings=()), internal=True)}
    assert ("size", "RACE ASIAN") in found
    assert ("size", "AGE missing & arm Active") in found
    assert ("arm", "RACE ASIAN: all arm Placebo") in found


@pytest.mark.parametrize("slicings", [(), ("RACE", "SEX")], ids=["arms", "subgroups"])
def test_groups_are_found_where_nothing_is_suppressed(
    slicings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disclosure, "suppressed", lambda *_, **__: {})
    found = {find.what for find in finds(planted_trial(slicings))}
    assert "RACE ASIAN" in found


@pytest.mark.parametrize("slicings", [(), ("RACE", "SEX")], ids=["arms", "subgroups"])
def test_groups_are_found_where_small_ones_alone_are_suppressed(
    slicings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without complementary suppression a small group follows by subtraction."""

    def small(
        sizes: dict[object, int], _: object, smallest: int, **__: object
    ) -> dict[object, str]:
        return {group: "too_small" for group, size in sizes.items() if size < smallest}

    monkeypatch.setattr(disclosure, "suppressed", small)
    found = {find.what for find in finds(planted_trial(slicings))}
    assert "RACE ASIAN & arm Placebo" in found


_STEP = 0.05
"""Step of means of 26 to 30 whole numbers: the first of 0.02, 0.05, 0.1 not below 1/26."""

few_or_many = st.one_of(st.integers(1, 4), st.integers(1, 30))
profiles = st.tuples(
    st.sampled_from(["Placebo", "Active"]),
    st.sampled_from(["WHITE", "BLACK", "ASIAN", None]),
    st.sampled_from(["F", "M"]),
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
    st.sampled_from([50.0, 61.0, math.nan]),
)


# A smaller example would take as many analyses again.
@settings(max_examples=20, phases=(Phase.explicit, Phase.generate))
@given(st.dictionaries(profiles, few_or_many, min_size=3, max_size=12))
@example(
    {
        ("Placebo", "WHITE", "F", True, True, math.nan): 4,
        ("Placebo", "WHITE", "F", True, None, math.nan): 1,
    }
)
@example(
    {
        ("Placebo", None, "F", None, True, 50.0): 3,
        ("Active", None, "F", None, True, 50.0): 4,
    }
)
def test_no_subject_is_found_in_any_trial(counts: dict[tuple[object, ...], int]) -> None:
    # A trial has a control, and both labels of each task.
    rows: Rows = [
        (("Placebo", "WHITE", "F", True, False, 50.0), 10),
        (("Active", "WHITE", "F", False, True, 50.0), 10),
        *counts.items(),
    ]
    assert finds(trial_of(rows, slicings=())) == []


@pytest.mark.parametrize("subjects", range(N, 22))
def test_no_value_follows_from_means_and_quartiles(subjects: int) -> None:
    values = [*np.arange(40.0, 40 + subjects), *repeated((50.0, 20))]
    values[subjects - 1] = 103.0
    arms = repeated(("Active", subjects), ("Placebo", 20))
    document = document_of(trial(arms, numbers={"AGE": values}, outcomes=outcomes(len(arms))))
    summaries = {found.level: found for found in document.characteristics[0].numbers}
    assert summaries["Active"].subjects == subjects
    assert known_values(summaries["Active"]) == []


@pytest.mark.parametrize("missing", range(1, N))
def test_few_missing_values_do_not_follow_from_the_digits_of_a_mean(missing: int) -> None:
    ages = [40.0 + place * place % 31 for place in range(30 - missing)]
    ages += [math.nan] * missing + [50.0] * 30
    arms = repeated(("Active", 30), ("Placebo", 30))
    document = document_of(trial(arms, numbers={"AGE": ages}, outcomes=outcomes(60)))
    found = {part.level: part for part in document.characteristics[0].numbers}["Active"]
    assert found.subjects is None
    assert found.mean is not None
    assert found.mean == pytest.approx(round(found.mean / _STEP) * _STEP, abs=1e-9)
    possible = list(range(30 - N + 1, 31))
    assert numbers_of_values(found.mean, possible, _STEP / 2) == possible
    assert numbers_of_values(float(np.mean(ages[: 30 - missing])), possible, 1e-9) != possible


def numbers_of_values(mean: float, numbers: Sequence[int], half: float) -> list[int]:
    """Numbers of whole values that have a mean within half a step of the shown one."""
    return [
        number
        for number in numbers
        if math.floor((mean + half) * number) >= math.ceil((mean - half) * number)
    ]


def outcomes(number: int) -> dict[str, list[bool | None]]:
    return {"dead": list(itertools.islice(itertools.cycle([True, False]), number))}
