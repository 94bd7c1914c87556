"""What may be shown, and what an attacker can conclude from it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from components.trial_summary.disclosure import at_least, periods, share_present
from components.trial_summary.event_disclosure import shown_events
from components.trial_summary.records import summarise
from components.trial_summary.sums import ANY, Progress, Sums
from pipeline.results.trial_progress import ProgressRecord
from tests.components.trial_summary.trial_made_by_hand import study_of

N = 10
SEVERITIES = ("MILD", "SEVERE")


def test_months_of_enough_subjects_stay_alone() -> None:
    assert periods({"2024-01": 10, "2024-02": 12}, N) == {
        "2024-01": "2024-01",
        "2024-02": "2024-02",
    }


def test_a_small_month_is_counted_with_the_next() -> None:
    assert periods({"2024-01": 3, "2024-02": 12}, N) == {
        "2024-01": "2024-02",
        "2024-02": "2024-02",
    }


def test_small_months_at_the_end_are_counted_with_the_last_period() -> None:
    found = periods({"2024-01": 12, "2024-02": 11, "2024-03": 2, "2024-04": 4}, N)
    assert found == {"2024-01": "2024-01"} | dict.fromkeys(
        ("2024-02", "2024-03", "2024-04"), "2024-04"
    )


def test_a_trial_of_few_subjects_has_no_periods() -> None:
    assert periods({"2024-01": 4, "2024-02": 5}, N) == {}


def test_the_number_of_a_whole_group_is_reported() -> None:
    assert at_least(40, whole=40, smallest=N) == 40


@pytest.mark.parametrize("number", [39, 35, 31])
def test_a_number_that_few_lack_is_reported_as_at_least(number: int) -> None:
    assert at_least(number, whole=40, smallest=N) == 30


def test_a_number_is_never_shown_as_one_of_a_small_group() -> None:
    assert at_least(12, whole=25, smallest=N) == 10


def test_missing_values_are_counted_in_multiples_of_the_smallest_group() -> None:
    assert share_present(196, expected=200, smallest=N) == 1
    assert share_present(193, expected=200, smallest=N) == 0.95


def test_few_subjects_with_an_event_are_suppressed() -> None:
    assert shown_events(40, (), {ANY: {"": 9}}, N)[ANY].shown == {}


def test_few_subjects_without_an_event_are_suppressed() -> None:
    assert shown_events(40, (), {ANY: {"": 31}}, N)[ANY].shown == {}


def test_that_no_subject_had_an_event_is_shown() -> None:
    assert shown_events(40, (), {}, N)[ANY].shown == {None: 0}


def test_a_small_severity_takes_the_next_smallest_with_it() -> None:
    found = shown_events(100, SEVERITIES, {ANY: {"MILD": 40, "SEVERE": 3}}, N)
    assert found[ANY].shown == {None: 43}


def test_a_small_severity_is_not_had_from_those_without_an_event() -> None:
    """12 of 100 have none, 46 and 39 are mild and moderate: 3 severe would be what is left."""
    found = {ANY: {"MILD": 46, "MODERATE": 39, "SEVERE": 3}}
    shown = shown_events(100, ("MILD", "MODERATE", "SEVERE"), found, N)[ANY].shown
    assert shown == {None: 88, "MILD": 46}


def test_few_with_events_of_other_classes_only_are_not_had_by_subtraction() -> None:
    """35 of the 38 with an event have one of the skin: three have others only."""
    found = {ANY: {"": 38}, "EYE": {"": 14}, "SKIN": {"": 35}}
    assert shown_events(100, (), found, N)["SKIN"].shown == {}


def test_few_with_severe_events_of_other_classes_only_are_not_had_by_subtraction() -> None:
    """15 have a severe event, 12 of them of the skin: three of other classes only."""
    found = {
        ANY: {"MILD": 45, "SEVERE": 15},
        "EYE": {"MILD": 40, "SEVERE": 3},
        "SKIN": {"MILD": 20, "SEVERE": 12},
    }
    assert shown_events(100, SEVERITIES, found, N)["SKIN"].shown == {None: 32}


def test_few_with_events_of_two_classes_are_not_had_by_subtraction() -> None:
    """20 of the eye and 32 of the skin are 50 subjects: two have both."""
    found = {ANY: {"": 50}, "EYE": {"": 20}, "SKIN": {"": 32}}
    shown = shown_events(100, (), found, N)
    assert shown["EYE"].shown == {}
    assert shown["SKIN"].shown == {None: 32}


class Attacker:
    """Knows which cells there may be, and every number that is shown as a sum of cells."""

    def __init__(self, cells: Sequence[tuple[str, ...]]) -> None:
        self._cells = cells
        self._rows: list[list[float]] = []
        self._sums: list[float] = []

    def learn(self, group: Iterable[tuple[str, ...]], number: float) -> None:
        """Learns how many subjects a group of cells has."""
        inside = set(group)
        self._rows.append([float(cell in inside) for cell in self._cells])
        self._sums.append(number)

    def knows_a_small_group(self, group: Iterable[tuple[str, ...]]) -> bool:
        """Whether it is certain that the group has 1 to N - 1 subjects."""
        inside = set(group)
        wanted = np.array([float(cell in inside) for cell in self._cells])
        if self._least(wanted) < 1e-6:
            return False
        return -self._least(-wanted) < N - 1e-6

    def _least(self, wanted: NDArray[Any]) -> float:
        """The least that a sum of cells can be."""
        answer = linprog(wanted, A_eq=self._rows or None, b_eq=self._sums or None)
        unbounded = 3
        assert answer.status in (0, unbounded), answer.message
        return float(answer.fun) if answer.status == 0 else -np.inf


def records(sums: Sums, section: str) -> list[ProgressRecord]:
    study = study_of(slicing={"smallest_group": N})
    found = summarise(study, Progress(enrolled=sums)).records
    return [record for record in found if record.section == section]


few_or_many = st.one_of(st.integers(1, 6), st.integers(1, 60))
SITES, MONTHS = ("1", "2", "3"), ("2024-01", "2024-02", "2024-03")
table = st.dictionaries(
    st.tuples(st.sampled_from(["", *SITES]), st.sampled_from(["", *MONTHS])),
    few_or_many,
    min_size=1,
)


@settings(max_examples=60)
@given(table)
def test_enrolment_discloses_no_small_site_month_or_both(
    enrolled: dict[tuple[str, str], int],
) -> None:
    sums = Sums(enrolled=Counter(enrolled), arms=Counter({"A": sum(enrolled.values())}))
    cells = list(itertools.product(["", *SITES], ["", *MONTHS]))
    attacker = Attacker(cells)
    shown = records(sums, "enrolment")
    ends = sorted({record.period for record in shown if record.period})
    for record in shown:
        earlier = [end for end in ends if record.period and end < record.period]
        after = earlier[-1] if earlier else ""
        attacker.learn(
            (
                (site, month)
                for site, month in cells
                if record.site in (None, site)
                and (record.period is None or after < month <= record.period)
            ),
            record.value,
        )
    for name in SITES:
        assert not attacker.knows_a_small_group(cell for cell in cells if cell[0] == name)
    for name in MONTHS:
        assert not attacker.knows_a_small_group(cell for cell in cells if cell[1] == name)
    assert not any(attacker.knows_a_small_group([cell]) for cell in cells)


ARMS, REASONS = ("A", "P"), ("completed", "DEATH", "LOST", "")


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(ARMS), st.sampled_from(REASONS)),
        few_or_many,
        min_size=1,
    )
)
def test_disposition_discloses_no_small_reason(dispositions: dict[tuple[str, str], int]) -> None:
    sums = Sums(dispositions=Counter(dispositions))
    for (arm, _), number in dispositions.items():
        sums.arms[arm] += number
    sums.enrolled["1", "2024-01"] = sums.arms.total()
    cells = list(itertools.product(ARMS, REASONS))
    attacker = Attacker(cells)
    for record in [*records(sums, "enrolment"), *records(sums, "disposition")]:
        if record.measure == "subjects" and record.site is None and record.period is None:
            attacker.learn(
                (
                    (arm, reason)
                    for arm, reason in cells
                    if record.arm in (None, arm) and record.category in (None, reason)
                ),
                record.value,
            )
    assert not any(attacker.knows_a_small_group([cell]) for cell in cells)
    for name in REASONS:
        assert not attacker.knows_a_small_group(cell for cell in cells if cell[1] == name)


STATES = ("", *SEVERITIES)
PATTERNS = list(itertools.product(STATES, STATES))
"""Worst severity of an event of the eye, and of one of the skin, of a subject of the arm."""

WORST: dict[str, Callable[[tuple[str, ...]], str]] = {
    ANY: lambda pattern: max(pattern, key=STATES.index),
    "EYE": lambda pattern: pattern[0],
    "SKIN": lambda pattern: pattern[1],
}


def patterns_of(name: str, severity: str | None) -> set[tuple[str, ...]]:
    """Patterns with an event of a class, of a worst severity or any."""
    worst = ((pattern, WORST[name](pattern)) for pattern in PATTERNS)
    return {pattern for pattern, state in worst if state and severity in (None, state)}


def counted(numbers: dict[tuple[str, ...], int]) -> dict[str, Counter[str]]:
    """Subjects by class and worst severity."""
    found: dict[str, Counter[str]] = {}
    for (name, worst), (pattern, number) in itertools.product(WORST.items(), numbers.items()):
        if worst(pattern):
            found.setdefault(name, Counter())[worst(pattern)] += number
    return found


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(PATTERNS), few_or_many))
def test_events_disclose_no_small_group(numbers: dict[tuple[str, ...], int]) -> None:
    # The subjects of a shown arm are N or more.
    numbers = numbers | {("", ""): numbers.get(("", ""), 0) + N}
    overall = sum(numbers.values())
    attacker = Attacker(PATTERNS)
    attacker.learn(PATTERNS, overall)
    for name, events in shown_events(overall, SEVERITIES, counted(numbers), N).items():
        for severity, number in events.shown.items():
            attacker.learn(patterns_of(name, severity), number)
    for name, severity in itertools.product(WORST, (None, *SEVERITIES)):
        assert not attacker.knows_a_small_group(patterns_of(name, severity))
        assert not attacker.knows_a_small_group(set(PATTERNS) - patterns_of(name, severity))
    eye, skin = patterns_of("EYE", None), patterns_of("SKIN", None)
    for group in (eye & skin, eye - skin, skin - eye):
        assert not attacker.knows_a_small_group(group)
