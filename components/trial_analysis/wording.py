"""Texts of the analysis: results in words, explanations of every number, limitations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from components.trial_analysis.baseline import FEWEST_FOR_QUARTILES
from components.trial_analysis.proportions import Observed
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_analysis.subjects import MOST_SUBJECTS
from pipeline.estimates import Estimate
from pipeline.html.numbers import count, number
from pipeline.results.analysis import Comparison, SurvivalComparison, Term
from pipeline.study.sections import TimeToEvent

TERMS: dict[str, Term] = {
    "standardised_difference": Term(
        title="Standardised difference",
        says=(
            "How far a group lies from the control at baseline, in standard deviations; of a "
            "category the distance of the two distributions, which has no sign. Up to 0.1 counts "
            "as small. It does not depend on the number of subjects, and after random "
            "assignment any difference is chance: no test is made of it."
        ),
    ),
    "rate": Term(
        title="Rate",
        says=(
            "Subjects with the event by subjects whose outcome is known (Wilson's interval). Where "
            "follow-up ended early, subjects are weighted by the inverse probability of being "
            "observed, so that the rate differs from the quotient of the two numbers."
        ),
    ),
    "risk_difference": Term(
        title="Risk difference",
        says=(
            "Rate of the group minus rate of the control: so many in a hundred more (or fewer) had "
            "the event (Newcombe's interval). 0 is no difference."
        ),
    ),
    "risk_ratio": Term(
        title="Risk ratio",
        says=(
            "Rate of the group divided by rate of the control (Katz's interval). 1 is no "
            "difference."
        ),
    ),
    "number_needed": Term(
        title="Number needed to treat",
        says=(
            "Number of subjects for one event fewer (or more) in the group than in the control: 1 "
            "divided by the risk difference. If the interval of the difference includes 0, this "
            "number's interval passes through infinity."
        ),
    ),
    "adjusted": Term(
        title="Adjusted for baseline",
        says=(
            "The same difference adjusted for baseline characteristics by a logistic model: "
            "the mean predicted rate if all subjects of both groups were in the one, minus (or "
            "divided by) that if all were in the other (marginal standardisation, sandwich "
            "standard errors)."
        ),
    ),
    "interaction": Term(
        title="Interaction",
        says=(
            "Whether the difference between group and control differs between subgroups, on the "
            "scale of odds ratios. This test, not the subgroups' own intervals, shows "
            "whether subgroups differ; on another scale the result may differ."
        ),
    ),
    "survival": Term(
        title="Share without the event",
        says=(
            "Kaplan-Meier estimate of the share that has not had the event by a time, with its "
            "interval on the scale of log(-log). The curve is thinned: each of its steps covers at "
            "least five subjects, at times of a round grid."
        ),
    ),
    "hazard_ratio": Term(
        title="Hazard ratio",
        says=(
            "How much more (or less) frequent the event is in the group than in the control, at "
            "any moment among those who have not had it yet (Cox's model, Efron's ties). 1 is no "
            "difference. It describes the curves well only if it is roughly constant over time."
        ),
    ),
    "proportional_hazards": Term(
        title="Proportional hazards",
        says=(
            "A small p value indicates that the hazard ratio changes over time: then see the "
            "curves "
            "and the difference of mean times instead."
        ),
    ),
    "restricted_mean_difference": Term(
        title="Difference of mean times without the event",
        says=(
            "Mean time without the event up to a common time: area between the two curves, "
            "whatever their shape."
        ),
    ),
    "spearman": Term(
        title="Spearman's correlation",
        says=(
            "Whether larger values are associated with more (towards 1) or fewer events (towards "
            "-1); 0 is no "
            "monotone association."
        ),
    ),
    "cramers_v": Term(
        title="Cramér's V",
        says="Association of a category and the event: 0 is none, 1 is perfect.",
    ),
    "p_value_holm": Term(
        title="p (Holm)",
        says=(
            "The p value adjusted for the number of tests of its family in this analysis: "
            "the probability of any false positive at 0.05 is at most 5 %."
        ),
    ),
    "q_value": Term(
        title="q",
        says=(
            "The p value adjusted for the number of pairs (Benjamini and Hochberg): of the "
            "pairs selected up to 0.05, about 5 % are expected to be false positives."
        ),
    ),
}


def effect_sentence(
    title: str,
    comparison: Comparison,
    group: Observed,
    control: Observed,
    difference: Estimate,
    randomised: bool,
) -> str:
    """A comparison of rates in words."""
    sides = (
        f"{title}: {_of(group)} with {_level(comparison, comparison.level)} against {_of(control)} "
        f"with {_level(comparison, comparison.control)}"
    )
    if difference.value is None or difference.lower is None or difference.upper is None:
        return f"{sides}."
    points = [
        _signed(100 * part) for part in (difference.value, difference.lower, difference.upper)
    ]
    effect = f"{points[0]} percentage points (95\u202f% interval {points[1]} to {points[2]})"
    return f"{sides}: {effect}.{_conclude(difference, 0.0)}{_caution(randomised)}"


def survival_sentence(found: SurvivalComparison, endpoint: TimeToEvent, randomised: bool) -> str:
    """A comparison of times in words."""
    ratio = found.hazard_ratio
    start = f"{endpoint.title}, {found.comparison.text}: "
    if ratio.value is None or ratio.lower is None or ratio.upper is None:
        return (
            f"{start}no hazard ratio can be estimated: a group has no events, or all of them "
            f"before the other.{_caution(randomised)}"
        )
    interval = f"95\u202f% interval {ratio.lower:.2f} to {ratio.upper:.2f}"
    effect = f"hazard ratio {ratio.value:.2f} ({interval})."
    changing = found.proportional_hazards is not None and found.proportional_hazards.p_value < 0.05
    doubt = " The ratio appears to change over time: see the curves instead." if changing else ""
    return f"{start}{effect}{_conclude(ratio, 1.0)}{doubt}{_caution(randomised)}"


def notes(
    settings: TrialAnalysisSettings,
    subjects: int,
    tests: int,
    interactions: int,
    log_ranks: int,
    internal: bool = False,
    weighted: Sequence[str] = (),
) -> Iterator[str]:
    """Notes on the whole analysis.

    Args:
        settings: What the analysis reads of the study.
        subjects: Number of subjects.
        tests: Number of comparisons of rates.
        interactions: Number of tests of interaction.
        log_ranks: Number of comparisons of curves.
        internal: Whether every group is shown.
        weighted: Titles of the tasks whose subjects are weighted.
    """
    yield (
        "All subjects of the study file's population, of all splits together, each in the arm "
        "recorded in the data, regardless of the treatment taken. Subjects with an unknown outcome "
        "are "
        "excluded and counted; if they differ from the others, the results are biased."
    )
    if weighted:
        yield (
            f"Follow-up of some subjects ended before the horizon ({', '.join(weighted)}): those "
            "observed are weighted by the inverse probability of that. Rates and effects are those "
            "of all, if the end of follow-up says nothing of the outcome within what the weights "
            "depend on; intervals are rather too wide. The screening is not weighted."
        )
    if settings.arm is None:
        yield "The study file names no arms: rates and curves are those of all subjects."
    elif not tests and not log_ranks:
        yield "No two arms are compared: see the reasons of the missing sections."
    elif settings.analysis.randomised:
        yield (
            "The arms were assigned at random, so a difference beyond chance is an effect of "
            "the assignment to an arm."
        )
    else:
        yield (
            "The study file does not state that the arms were assigned at random "
            "(analysis.randomised): the groups may have differed from the start, and a "
            "difference of outcomes, adjusted or not, can't be attributed to the treatment."
        )
    if settings.landmark is not None:
        yield (
            f"Outcomes of tasks count after study day {settings.landmark}, among the subjects who "
            "were still under observation without the event then. These are not all who were "
            "assigned: if the treatment affected who remained, the groups are no longer "
            "comparable. Times to events count from the start."
        )
    yield from _multiplicity(tests, interactions, log_ranks)
    if subjects > MOST_SUBJECTS:
        yield (
            f"Adjusted differences, hazard ratios and the screening use a random sample of at most "
            f"{MOST_SUBJECTS:,} subjects: their intervals are wider than those of all subjects "
            "would be."
        )
    if internal:
        yield "Every group is shown with its size, curves and quartiles are exact."
    else:
        yield (
            "Groups smaller than the study's smallest group are suppressed, and so are groups from "
            "which they would follow. Quartiles are means of a few neighbouring values, of fewer "
            f"than {FEWEST_FOR_QUARTILES} values of all."
        )


def _multiplicity(tests: int, interactions: int, log_ranks: int) -> Iterator[str]:
    if tests:
        yield (
            f"{_counted(tests, 'comparison')} of rates. Without any real difference about "
            f"{_expected(tests)} of them would have p below 0.05; p (Holm) adjusts for that. "
            "Intervals are not adjusted: each covers the true value in 95 % of trials."
        )
    if interactions:
        yield (
            f"{_counted(interactions, 'test')} of interaction, about {_expected(interactions)} "
            "with p below 0.05 by chance alone. No trial is large enough to show in which of many "
            "subgroups a treatment works: such results are hypotheses for another trial."
        )
    if log_ranks:
        yield (
            f"{_counted(log_ranks, 'comparison')} of curves, about {_expected(log_ranks)} with p "
            "below 0.05 by chance alone."
        )
    yield (
        "The screening looks for associations over all arms. It is unadjusted and "
        "says nothing about causes."
    )


def _counted(number_of: int, what: str) -> str:
    return f"There is 1 {what}" if number_of == 1 else f"There are {number_of} {what}s"


def _expected(tests: int) -> str:
    expected = 0.05 * tests
    return f"{expected:.0f}" if expected >= 10 else f"{expected:.2g}"


def _of(group: Observed) -> str:
    rate = number(group.rate, 1, percent=True) if not math.isnan(group.rate) else "no rate"
    return f"{count(group.events)} of {count(group.subjects)} ({rate})"


def _signed(value: float) -> str:
    shown = number(value, 1)
    return f"+{shown}" if value > 0 and shown != number(0.0, 1) else shown


def _level(comparison: Comparison, level: str) -> str:
    return level if comparison.factor == "arm" else f"{comparison.factor} {level}"


def _conclude(found: Estimate, null: float) -> str:
    if found.lower is None or found.upper is None:
        return ""
    if found.lower <= null <= found.upper:
        return f" The interval includes {null:g} (no difference): the result is inconclusive."
    return f" The interval does not include {null:g} (no difference)."


def _caution(randomised: bool) -> str:
    return "" if randomised else " The groups were not randomised: this is not a treatment effect."
