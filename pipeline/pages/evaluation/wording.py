"""Sentences shared by the page and the summary."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.html.numbers import count, round_text
from pipeline.metrics import METRICS
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.metrics import metric_title
from pipeline.results.documents import Group
from pipeline.results.scheme_words import basis_sentence
from pipeline.study.sections import Side, Threshold

_SIDES: Mapping[tuple[Side, bool], str] = {
    ("at_least", False): "at least",
    ("at_most", False): "at most",
    ("at_least", True): "above",
    ("at_most", True): "below",
}
"""Words for the side on which a metric passes, by whether the limit itself fails."""


def decision(result: RunResult) -> str:
    """The decision in a few words."""
    verdict = result.verdict
    if not verdict.blessed:
        return "Refused" if verdict.decision == "refused" else "Not judged"
    if not verdict.judged:
        return "Blessed without comparison"
    tasks = len(result.settings.tasks)
    blessed = sum(verdict.of_task(task).verdict == "blessed" for task in result.settings.tasks)
    return "Blessed" if blessed == tasks else f"Blessed for {blessed} of {tasks} tasks"


def decision_sentence(result: RunResult) -> str:
    """The decision and what it rests on."""
    verdict = result.verdict
    if verdict.is_held_back:
        return "The numbers that it rests on are held back."
    compared = f"{count(verdict.compared)} comparison{'' if verdict.compared == 1 else 's'}"
    if verdict.decision == "not_judged":
        return "No task could be judged: no statement about the model is justified."
    if not verdict.judged:
        return "The study file sets no thresholds, so nothing was compared."
    if not verdict.failed:
        return f"All {compared} with thresholds were passed."
    return f"{count(verdict.failed)} of {compared} with thresholds failed."


def basis(result: RunResult) -> str:
    """Whom the metrics are of."""
    plan = result.metrics.evaluation
    return basis_sentence(plan, result.counts.subjects.get(plan.evaluated_split))


def registration_sentence(result: RunResult) -> str:
    """Whether the model became the champion."""
    if result.registration.registered:
        return "The model is now the champion of its study: later runs are compared with it."
    if not result.verdict.blessed:
        return "A model that is not blessed is neither pushed nor registered."
    return f"The model did not become the champion of its study: {result.registration.reason}"


def threshold_text(threshold: Threshold) -> str:
    """A threshold in words, such as `AUC: the whole interval at least 0.75`."""
    what = metric_title(threshold.metric, threshold.decision_threshold)
    if threshold.versus:
        what = f"Difference to the {threshold.versus.replace('_', ' ')} in {what}"
    percent = METRICS[threshold.metric].percent
    limits = " and ".join(
        f"{_SIDES[side, threshold.strict]} {round_text(value, percent)}"
        for side, value in threshold.limits
    )
    if threshold.holds == "bound":
        return f"{what}: the whole interval {limits}"
    if threshold.holds == "overlap":
        return f"{what}: some of the interval {limits}"
    return f"{what}: {limits}"


def slicing_text(group: Group) -> str:
    """The name of a slicing, such as `sex × age`."""
    return " × ".join(name for name, _ in group)


def values_text(group: Group) -> str:
    """A group by its values alone, such as `F, 65 to <75`."""
    return ", ".join(value for _, value in group)


def not_shown_sentence(result: RunResult, task: str) -> str:
    """How many groups are not shown, and why; empty if all are."""
    small, others = result.count_not_shown(task)
    parts = []
    if small:
        parts.append(f"{_groups(small)} with too few subjects or none")
    if others:
        parts.append(f"{_groups(others)} from which a smaller one would follow by subtraction")
    return f"Not shown: {', '.join(parts)}." if parts else ""


def _groups(number_of: int) -> str:
    return f"{number_of} group{'' if number_of == 1 else 's'}"


def group_name(group: Group) -> str:
    """A group as the name of a row.

    Examples:
        >>> group_name((("sex", "F"), ("age", "over 65"))), group_name(())
        ('sex F, age over 65', 'overall')
    """
    return ", ".join(f"{name} {value}" for name, value in group) or "overall"
