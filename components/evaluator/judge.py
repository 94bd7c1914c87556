"""The verdict on a model: its records against the study's thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.evaluator.config import METRICS_AT_DECISION
from components.evaluator.records import Record, group_text, number_or_none
from components.evaluator.settings import EvaluatorSettings
from pipeline.results.documents import OVERALL, Group, ModelRole
from pipeline.results.suppress import Reason
from pipeline.study.sections import Threshold

NOT_COMPARED = "Thresholds against a champion were not judged."
NOTHING_DEMANDED = (
    "The study file has no thresholds: nothing was demanded of the model, so it was not judged "
    "and is blessed as it is."
)

Withheld = Mapping[str, Mapping[Group, Reason]]
"""Groups of each task that are not shown, and why."""

_Key = tuple[str, Group, str, float | None, ModelRole]


@dataclass(frozen=True)
class Refusal:
    """A threshold that a model failed.

    Attributes:
        message: One line for people.
        task: The task.
        group: The group of subjects.
        metric: The metric.
        decision_threshold: For metrics of decisions.
        model: `challenger`, or `difference` where it was compared with the champion.
        value: The point estimate; not a number where it is undefined or withheld.
        lower: Lower end of the 95 % interval.
        upper: Upper end.
        threshold: What was demanded.
    """

    message: str
    task: str
    group: Group
    metric: str
    decision_threshold: float | None
    model: ModelRole
    value: float
    lower: float
    upper: float
    threshold: Threshold


@dataclass(frozen=True)
class NotJudged:
    """A group that has too few subjects for the thresholds that hold in every slice."""

    task: str
    group: Group


@dataclass(frozen=True)
class Verdict:
    """Whether a model may be used, and why not.

    Attributes:
        blessed: Whether it passed.
        judged: Whether anything was compared with a threshold at all.
        comparisons: How many comparisons were made.
        refusals: The thresholds that it failed.
        not_judged: Groups that are too small to judge.
        notes: What else a reader must know.
        smallest_group: Fewest subjects that a group is judged for.
    """

    blessed: bool
    judged: bool
    comparisons: int
    refusals: tuple[Refusal, ...]
    not_judged: tuple[NotJudged, ...]
    notes: tuple[str, ...]
    smallest_group: int

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON-like content."""
        return {
            "blessed": self.blessed,
            "judged": self.judged,
            "comparisons": self.comparisons,
            "reasons": [_refusal_json(refusal) for refusal in self.refusals],
            "not_judged": [
                {
                    "task": item.task,
                    "slice": dict(item.group),
                    "subjects": f"<{self.smallest_group}",
                }
                for item in self.not_judged
            ],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class _Demand:
    """One comparison that is due."""

    threshold: Threshold
    task: str
    group: Group
    decision_threshold: float | None

    @property
    def model(self) -> ModelRole:
        return "difference" if self.threshold.versus else "challenger"

    @property
    def key(self) -> _Key:
        metric = self.threshold.metric
        return self.task, self.group, metric, self.decision_threshold, self.model

    @property
    def subject(self) -> str:
        """What is judged, as the beginning of a sentence."""
        measure: str = self.threshold.metric
        if self.decision_threshold is not None:
            measure += f" at decision threshold {self.decision_threshold:g}"
        if self.threshold.versus:
            measure = f"difference of {measure} to the champion"
        where = f"in slice {group_text(self.group)}" if self.group else "overall"
        return f"{self.task}: {measure} {where}"


def judge(
    records: Sequence[Record],
    withheld: Withheld,
    settings: EvaluatorSettings,
    no_champion: str | None,
) -> Verdict:
    """Judges a model.

    Groups that are withheld only because another group's numbers would follow from theirs are
    large enough and are judged, but a refusal does not give their values.

    Args:
        records: All records, those of withheld groups too.
        withheld: Which groups are not shown.
        settings: Thresholds and decision thresholds.
        no_champion: Why there is no champion to compare with; None if there is one.

    Returns:
        The verdict. Without thresholds the model is blessed but marked as not judged.
    """
    by_key = {(r.task, r.group, r.metric, r.decision_threshold, r.model): r for r in records}
    notes = [no_champion] if no_champion else []
    if not settings.thresholds:
        notes.append(NOTHING_DEMANDED)
    refusals: list[Refusal] = []
    not_judged: list[NotJudged] = []
    comparisons = 0
    for demand in _demands(settings, records):
        if demand.threshold.versus and no_champion:
            notes.append(NOT_COMPARED)
            continue
        reason = withheld.get(demand.task, {}).get(demand.group)
        if reason == "too_small" and demand.group != OVERALL:
            not_judged.append(NotJudged(demand.task, demand.group))
            continue
        comparisons += 1
        found = by_key.get(demand.key)
        complaint = _complaint(demand, found, reason, settings.smallest_group)
        if complaint:
            refusals.append(_refusal(demand, found, reason, complaint))
    return Verdict(
        blessed=not refusals,
        judged=comparisons > 0,
        comparisons=comparisons,
        refusals=tuple(refusals),
        not_judged=tuple(dict.fromkeys(not_judged)),
        notes=tuple(dict.fromkeys(notes)),
        smallest_group=settings.smallest_group,
    )


def _demands(settings: EvaluatorSettings, records: Sequence[Record]) -> Iterator[_Demand]:
    groups: dict[str, dict[Group, None]] = {task: {OVERALL: None} for task in settings.tasks}
    for record in sorted(records, key=lambda record: (len(record.group), record.group)):
        groups[record.task][record.group] = None
    for threshold in settings.thresholds:
        for task in threshold.tasks or settings.tasks:
            everywhere = threshold.where == "every_slice"
            for group in groups[task] if everywhere else (OVERALL,):
                for decision in _decisions(threshold, settings.tasks[task]):
                    yield _Demand(threshold, task, group, decision)


def _decisions(threshold: Threshold, own: tuple[float, ...]) -> tuple[float | None, ...]:
    if threshold.metric not in METRICS_AT_DECISION:
        return (None,)
    return own if threshold.decision_threshold is None else (threshold.decision_threshold,)


def _complaint(
    demand: _Demand, found: Record | None, reason: Reason | None, smallest: int
) -> str | None:
    """What is wrong, as the end of a sentence; None if nothing is."""
    if reason == "too_small":
        return f"can't be judged: fewer than {smallest} subjects have a known outcome"
    if found is None or math.isnan(found.value):
        return (
            "has no value (for example, because all subjects have the same outcome, or no "
            "prediction reaches the decision threshold)"
        )
    threshold = demand.threshold
    bound = threshold.holds == "bound"
    if bound and not (math.isfinite(found.lower) and math.isfinite(found.upper)):
        return "has no confidence interval, whose bound the threshold demands"
    low, high = (found.lower, found.upper) if bound else (found.value, found.value)
    if threshold.at_least is not None and not low >= threshold.at_least:
        side = "lower bound below" if bound else "below"
        return _finding(found, low, threshold.at_least, side, reason)
    if threshold.at_most is not None and not high <= threshold.at_most:
        side = "upper bound above" if bound else "above"
        return _finding(found, high, threshold.at_most, side, reason)
    return None


def _finding(found: Record, judged: float, limit: float, side: str, reason: Reason | None) -> str:
    if reason:
        return f"is {side} {limit:g} (numbers withheld: a smaller group's would follow from them)"
    digits = _digits(judged, limit)
    value = f"{found.value:.{digits}g}"
    if math.isfinite(found.lower) and math.isfinite(found.upper):
        value += f" ({found.lower:.{digits}g} to {found.upper:.{digits}g})"
    return f"is {value}, {side} {limit:g}"


def _digits(value: float, limit: float) -> int:
    """Three significant digits, or as many as it takes to tell the value from its limit."""
    for digits in range(3, 17):
        if float(f"{value:.{digits}g}") != limit:
            return digits
    return 17


def _refusal(
    demand: _Demand, found: Record | None, reason: Reason | None, complaint: str
) -> Refusal:
    shown = found if reason is None else None
    return Refusal(
        message=f"{demand.subject} {complaint}",
        task=demand.task,
        group=demand.group,
        metric=demand.threshold.metric,
        decision_threshold=demand.decision_threshold,
        model=demand.model,
        value=shown.value if shown else math.nan,
        lower=shown.lower if shown else math.nan,
        upper=shown.upper if shown else math.nan,
        threshold=demand.threshold,
    )


def _refusal_json(refusal: Refusal) -> dict[str, Any]:
    return {
        "message": refusal.message,
        "task": refusal.task,
        "slice": dict(refusal.group),
        "metric": refusal.metric,
        "decision_threshold": refusal.decision_threshold,
        "model": refusal.model,
        "value": number_or_none(refusal.value),
        "lower": number_or_none(refusal.lower),
        "upper": number_or_none(refusal.upper),
        "threshold": refusal.threshold.model_dump(mode="json", exclude_defaults=True),
    }
