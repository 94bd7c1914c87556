"""Effects within subgroups, and tests of interaction."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from components.trial_analysis.disclosure import Disclosure, with_missing
from components.trial_analysis.proportions import Observed, risk_difference, risk_ratio
from components.trial_analysis.subjects import Factor, Outcome, TrialSubjects
from pipeline.estimates import Estimate
from pipeline.results.analysis import Comparison, HypothesisTest, Subgroup, Subgroups
from pipeline.results.resolution import at_resolution, fewest_known, rounded_count

Pair = tuple[Observed, Observed]
"""A group and its control."""


def subgroup_effects(subjects: TrialSubjects, disclosure: Disclosure) -> Iterator[Subgroups]:
    """Every comparison of every task by every slicing."""
    for task, outcome in subjects.outcomes.items():
        for factor in subjects.describing:
            for level in factor.treatments:
                for slicing in subjects.slicings:
                    yield _by_slicing(subjects, task, outcome, factor, level, slicing, disclosure)


def interaction_test(groups: Sequence[Pair]) -> HypothesisTest | None:
    """Tests that the odds ratio of group and control is the same in all subgroups.

    The likelihood ratio of the model with a coefficient for every subgroup's difference against
    the one with a single difference (Breslow NE, Day NE. Statistical Methods in Cancer Research,
    vol. I, 1980, section 6.7). Weighted subjects count by their effective number (Rao JNK, Scott
    AJ. Ann Stat 1984;12:46-60, the first-order correction). Subgroups in which no or every subject
    had the event are uninformative.

    Args:
        groups: Group and control of every subgroup.

    Returns:
        The test; None if fewer than two subgroups are informative.
    """
    import statsmodels.api as sm

    informative = [pair for pair in groups if _is_informative(pair)]
    if len(informative) < 2:
        return None
    counts, design = [], []
    for place, pair in enumerate(informative):
        for side, treated in zip(pair, (1.0, 0.0), strict=True):
            events, number = side.effective
            counts.append([events, number - events])
            design.append([*(np.arange(len(informative)) == place).astype(float), treated])
    with warnings.catch_warnings():
        # A group without events has no finite coefficient, but a finite deviance.
        warnings.simplefilter("ignore")
        fit = sm.GLM(np.array(counts), np.array(design), family=sm.families.Binomial()).fit()
    from scipy.stats import chi2

    degrees = len(informative) - 1
    # The model with all differences fits every group exactly: its deviance is 0.
    return HypothesisTest(
        name="Likelihood-ratio test of interaction (odds ratios)",
        p_value=float(chi2.sf(fit.deviance, degrees)),
        statistic=float(fit.deviance),
        degrees_of_freedom=degrees,
    )


def _by_slicing(
    subjects: TrialSubjects,
    task: str,
    outcome: Outcome,
    factor: Factor,
    level: str,
    slicing: str,
    disclosure: Disclosure,
) -> Subgroups:
    column = subjects.slicings[slicing]
    sides = (level, str(factor.control))
    pairs: dict[str, Pair] = {}
    groups: list[Subgroup] = []
    suppressed = 0
    is_coarse = disclosure.is_coarse(task)
    known_share = float(outcome.known.mean())
    for value, code in with_missing(column):
        members = [(column.codes == code) & factor.of(side) for side in sides]
        group, control = (outcome.observed(of_side & outcome.known) for of_side in members)
        shown = all(disclosure.shows_subgroup(task, factor, side, slicing, value) for side in sides)
        if shown and group.subjects and control.subjects:
            pairs[value] = (group, control)
            sizes = [int(of_side.sum()) for of_side in members]
            exact = _subgroup(value, group, control)
            groups.append(_coarse(exact, sizes[0], sizes[1], known_share) if is_coarse else exact)
        else:
            suppressed += 1
    interaction = interaction_test(list(pairs.values()))
    return Subgroups(
        task=task,
        comparison=Comparison(factor=factor.name, level=level, control=sides[1]),
        slicing=slicing,
        groups=tuple(groups),
        suppressed=suppressed,
        interaction=_coarse_test(interaction) if interaction and is_coarse else interaction,
    )


def _coarse(exact: Subgroup, subjects: int, control_subjects: int, known_share: float) -> Subgroup:
    """A subgroup in which labels may be unknown, as it is shown; see `results.resolution`.

    The difference is at the resolution of the smaller side. Its interval has the width of that of
    the numbers that are shown, and there is no ratio: from a second exact number beside the
    difference the known labels of both sides would follow.
    """
    events, control_events = (
        min(rounded_count(number), of)
        for number, of in ((exact.events, subjects), (exact.control_events, control_subjects))
    )
    shown = risk_difference(Observed(subjects, events), Observed(control_subjects, control_events))
    return exact.model_copy(
        update={
            "subjects": subjects,
            "events": events,
            "control_subjects": control_subjects,
            "control_events": control_events,
            "risk_difference": _moved(
                shown,
                exact.risk_difference.value,
                fewest_known(min(subjects, control_subjects), known_share),
            ),
            "risk_ratio": Estimate(),
        }
    )


def _moved(shown: Estimate, value: float | None, subjects: float) -> Estimate:
    """An interval moved to where a value lies at the resolution of its subjects."""
    if value is None or shown.value is None:
        return Estimate()
    centre = at_resolution(value, subjects)
    lower, upper = (
        None if end is None else min(max(centre + end - shown.value, -1.0), 1.0)
        for end in (shown.lower, shown.upper)
    )
    return Estimate(centre, lower, upper)


def _coarse_test(exact: HypothesisTest) -> HypothesisTest:
    """Two digits of a test: the counts would follow from all of them."""
    numbers = {"p_value": exact.p_value, "statistic": exact.statistic}
    return exact.model_copy(
        update={
            name: None if number is None else float(f"{number:.2g}")
            for name, number in numbers.items()
        }
    )


def _subgroup(value: str, group: Observed, control: Observed) -> Subgroup:
    return Subgroup(
        value=value,
        subjects=group.subjects,
        events=group.events,
        control_subjects=control.subjects,
        control_events=control.events,
        risk_difference=risk_difference(group, control),
        risk_ratio=risk_ratio(group, control),
    )


def _is_informative(pair: Pair) -> bool:
    events = sum(side.events for side in pair)
    return 0 < events < sum(side.subjects for side in pair)
