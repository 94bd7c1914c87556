"""What the analysis says in words: results, what every number is, what it can't say."""

from __future__ import annotations

import math
from collections.abc import Iterator

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
        says="Subjects with the event by subjects whose outcome is known (Wilson's interval).",
    ),
    "risk_difference": Term(
        title="Risk difference",
        says=(
            "Rate of the group minus rate of the control, so many in a hundred more (or fewer) had "
            "the event (Newcombe's interval). 0 is no difference."
        ),
    ),
    "risk_ratio": Term(
        title="Risk ratio",
        says="Rate of the group by rate of the control (Katz's interval). 1 is no difference.",
    ),
    "number_needed": Term(
        title="Number needed to treat",
        says=(
            "How many subjects make one event fewer (or more) in the group than in the control: 1 "
            "by the risk difference. Where the interval of the difference holds 0, this number's "
            "interval passes through infinity."
        ),
    ),
    "adjusted": Term(
        title="Adjusted for baseline",
        says=(
            "The same difference after a logistic model has allowed for baseline characteristics: "
            "the mean predicted rate if all subjects of both groups were in the one, minus (or by) "
            "that if all were in the other (marginal standardisation, sandwich standard errors)."
        ),
    ),
    "interaction": Term(
        title="Interaction",
        says=(
            "Whether the difference between group and control differs between subgroups, on the "
            "scale of odds ratios. It is this test, not the subgroups' own intervals, that tells "
            "whether subgroups differ; on another scale the answer may be another one."
        ),
    ),
    "survival": Term(
        title="Share without the event",
        says=(
            "Kaplan-Meier estimate of the share that has not had the event by a time, with its "
            "interval on the scale of log(-log). The curve is thinned: each of its steps is at "
            "least five subjects, at times of a round grid."
        ),
    ),
    "hazard_ratio": Term(
        title="Hazard ratio",
        says=(
            "How much more (or less) frequent the event is in the group than in the control, at "
            "any moment among those who have not had it yet (Cox's model, Efron's ties). 1 is no "
            "difference. It sums up the curves only while it is much the same at all times."
        ),
    ),
    "proportional_hazards": Term(
        title="Proportional hazards",
        says=(
            "A small p value says that the hazard ratio changes in time: then look at the curves "
            "and at the difference of mean times instead."
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
            "Whether larger values go with more (towards 1) or fewer events (towards -1); 0 is no "
            "monotone relation."
        ),
    ),
    "cramers_v": Term(
        title="Cramér's V",
        says="How strongly a category and the event go together: 0 not at all, 1 entirely.",
    ),
    "p_value_holm": Term(
        title="p (Holm)",
        says=(
            "The p value after allowing for the number of tests of its kind in this analysis: "
            "calling those below 0.05 real is wrong in at most 5 % of such analyses."
        ),
    ),
    "q_value": Term(
        title="q",
        says=(
            "The p value after allowing for the number of pairs (Benjamini and Hochberg): of the "
            "pairs selected up to 0.05, about 5 % are expected to be chance."
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
    told = f"{points[0]} percentage points (95\u202f% interval {points[1]} to {points[2]})"
    return f"{sides}: {told}.{_verdict(difference, 0.0)}{_caution(randomised)}"


def survival_sentence(found: SurvivalComparison, endpoint: TimeToEvent, randomised: bool) -> str:
    """A comparison of times in words."""
    ratio = found.hazard_ratio
    start = f"{endpoint.title}, {found.comparison.text}: "
    if ratio.value is None or ratio.lower is None or ratio.upper is None:
        return (
            f"{start}no hazard ratio can be estimated, since a group has no events, or all of them "
            f"before the other.{_caution(randomised)}"
        )
    interval = f"95\u202f% interval {ratio.lower:.2f} to {ratio.upper:.2f}"
    told = f"hazard ratio {ratio.value:.2f} ({interval})."
    changing = found.proportional_hazards is not None and found.proportional_hazards.p_value < 0.05
    doubt = (
        " The ratio seems to change in time, so the curves say more than it does."
        if changing
        else ""
    )
    return f"{start}{told}{_verdict(ratio, 1.0)}{doubt}{_caution(randomised)}"


def notes(
    settings: TrialAnalysisSettings,
    subjects: int,
    tests: int,
    interactions: int,
    log_ranks: int,
    internal: bool = False,
) -> Iterator[str]:
    """What a reader must know of the whole.

    Args:
        settings: What the analysis reads of the study.
        subjects: Number of subjects.
        tests: Number of comparisons of rates.
        interactions: Number of tests of interaction.
        log_ranks: Number of comparisons of curves.
        internal: Whether every group is shown.
    """
    yield (
        "All subjects of the study file's population, of all splits together, each in the arm "
        "that the data name, whatever was taken. Subjects whose outcome is not known are left "
        "out of it and counted; if they differ from the others, so would the result."
    )
    if settings.arm is None:
        yield "The study file names no arms: rates and curves are those of all subjects."
    elif settings.analysis.randomised:
        yield (
            "Chance decided about the arms, so that a difference beyond chance is an effect of "
            "the assignment to an arm."
        )
    else:
        yield (
            "The study file does not say that chance decided about the arms "
            "(analysis.randomised): the groups may have differed from the start, and a "
            "difference of outcomes, adjusted or not, is no effect of the treatment."
        )
    if settings.landmark is not None:
        yield (
            f"Outcomes of tasks count after study day {settings.landmark}, among the subjects who "
            "were still under observation without the event then. These are no longer all who were "
            "assigned: if the treatment decided who remained, the comparison is not one of "
            "equals. Times to events count from the start."
        )
    yield from _multiplicity(tests, interactions, log_ranks)
    if subjects > MOST_SUBJECTS:
        yield (
            f"Adjusted differences, hazard ratios and the screening rest on a random sample of "
            f"{MOST_SUBJECTS:,} subjects at most: their intervals are wider than all subjects "
            "would make them."
        )
    if internal:
        yield "Every group is shown with its size, curves and quartiles are exact."
    else:
        yield (
            "Groups of fewer than the study's smallest size are suppressed, and so is what would "
            "give them away. Quartiles are means of a few neighbouring values."
        )


def _multiplicity(tests: int, interactions: int, log_ranks: int) -> Iterator[str]:
    if tests:
        yield (
            f"{_counted(tests, 'comparison')} of rates. Without any real difference about "
            f"{_expected(tests)} of them would have p below 0.05; p (Holm) allows for that. "
            "Intervals do not: each by itself covers the truth in 95 % of cases."
        )
    if interactions:
        yield (
            f"{_counted(interactions, 'test')} of interaction, about {_expected(interactions)} "
            "with p below 0.05 by chance alone. No trial is large enough to tell in which of many "
            "subgroups a treatment works: such results are questions for another trial."
        )
    if log_ranks:
        yield (
            f"{_counted(log_ranks, 'comparison')} of curves, about {_expected(log_ranks)} with p "
            "below 0.05 by chance alone."
        )
    yield (
        "The screening looks for what goes together, over all arms. It adjusts for nothing and "
        "says nothing of causes."
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


def _verdict(found: Estimate, nothing: float) -> str:
    if found.lower is None or found.upper is None:
        return ""
    if found.lower <= nothing <= found.upper:
        return " The interval includes no difference: the data do not settle whether there is one."
    return " The whole interval lies on this side of no difference."


def _caution(randomised: bool) -> str:
    return "" if randomised else " The groups were not formed by chance: this is no effect."
