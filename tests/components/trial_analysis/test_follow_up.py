"""Survival curves of censored subjects go on to the end of their follow-up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from components.trial_analysis.analyse import analyse
from pipeline.html.charts.time import StepCurve
from pipeline.results.analysis import EndpointAnalysis, SurvivalCurve
from tests.components.trial_analysis.hand_made_subjects import repeated, settings_of, times, trial
from tests.each import each

SMALLEST = 5

Subject = tuple[int, bool]
"""Days of observation, and whether the event ended it."""


@st.composite
def arms(draw: st.DrawFn) -> dict[str, list[Subject]]:
    """Two arms; the subject who stays longest is censored, long after the last event."""
    found = {}
    for level in ("Active", "Placebo"):
        subject = st.tuples(st.integers(1, 60), st.booleans())
        censored = st.tuples(st.integers(61, 200), st.just(False))
        early = draw(st.lists(subject, min_size=SMALLEST, max_size=20))
        late = draw(st.lists(censored, min_size=SMALLEST, max_size=20))
        found[level] = early + late
    assume(any(event for level in found.values() for _, event in level))
    return found


def endpoint(found: dict[str, list[Subject]], internal: bool) -> EndpointAnalysis:
    names = repeated(*((level, len(subjects)) for level, subjects in found.items()))
    every_subject = [subject for subjects in found.values() for subject in subjects]
    observed = times([day for day, _ in every_subject], [event for _, event in every_subject])
    subjects = trial(names, times={"death": observed})
    [analysed] = analyse(subjects, settings_of(subjects, SMALLEST), internal=internal).endpoints
    return analysed


def by_level(analysed: EndpointAnalysis) -> dict[str, SurvivalCurve]:
    curves = {curve.level: curve for curve in analysed.curves}
    assert set(curves) == {"Active", "Placebo"}
    return curves


def drawn_until(curve: SurvivalCurve) -> float:
    """The time up to which a chart draws a curve."""
    steps = [point.time for point in curve.points]
    values = [point.survival for point in curve.points]
    return StepCurve("", steps, values, ends=curve.ends).to_its_end().times[-1]


def staying(subjects: Sequence[Subject], time: float) -> int:
    return sum(day >= time for day, _ in subjects)


@given(arms())
def test_an_internal_curve_goes_to_the_last_day_of_anybody(found: dict[str, list[Subject]]) -> None:
    for level, curve in each(by_level(endpoint(found, internal=True)).items()):
        assert drawn_until(curve) == max(day for day, _ in found[level])


@given(arms())
def test_a_public_curve_goes_as_far_as_enough_subjects_are_observed(
    found: dict[str, list[Subject]],
) -> None:
    latest = max(day for subjects in found.values() for day, _ in subjects)
    for level, curve in each(by_level(endpoint(found, internal=False)).items()):
        ends = drawn_until(curve)
        assert staying(found[level], ends) >= SMALLEST
        # One further time of the grid, of which some hundred reach the latest day, is too far.
        assert staying(found[level], ends + grid(latest)) < SMALLEST
        # The last event is over by day 60, and so many stay longer.
        assert ends > 60 - grid(latest)


def grid(latest: int) -> float:
    """The smallest of 1, 2 and 5 days that makes at most a hundred steps."""
    return next(step for step in (1, 2, 5) if step >= latest / 100)


@given(arms(), st.booleans())
def test_every_labelled_time_up_to_the_longest_curve_has_its_numbers(
    found: dict[str, list[Subject]], internal: bool
) -> None:
    curves = by_level(endpoint(found, internal))
    longest = max(drawn_until(curve) for curve in curves.values())
    labels = {tuple(item.time for item in curve.at_risk) for curve in curves.values()}
    assert len(labels) == 1
    [labelled] = labels
    assert labelled[0] == 0
    distances = {after - before for before, after in itertools.pairwise(labelled)}
    assert len(distances) == 1
    assert labelled[-1] <= longest < labelled[-1] + distances.pop()
    for level, curve in each(curves.items()):
        told = [(item.time, item.subjects) for item in curve.at_risk]
        assert told[0][1] == len(found[level])
        true = [staying(found[level], time) for time, _ in told]
        if internal:
            assert [number for _, number in told] == true
        else:
            shown = [
                (number, expected)
                for (_, number), expected in zip(told, true, strict=True)
                if number is not None
            ]
            assert all(number == expected >= SMALLEST for number, expected in each(shown))
            numbers = [number for number, _ in shown]
            lost = -np.diff(numbers)
            assert not [n for n in lost if 0 < n < SMALLEST]  # may be empty


@given(arms())
def test_a_public_curve_steps_at_round_times_by_at_least_five_events(
    found: dict[str, list[Subject]],
) -> None:
    step = grid(max(day for subjects in found.values() for day, _ in subjects))
    for level, curve in each(by_level(endpoint(found, internal=False)).items()):
        steps = [point.time for point in curve.points]
        assert steps[0] == 0
        assert [time for time in steps if not math.isclose(time % step, 0)] == []
        events = [sum(event and day <= time for day, event in found[level]) for time in steps]
        assert [n for n in np.diff(events) if n < 5] == []  # may be empty
