"""Numbers of groups at the resolution of one subject, where labels of a task are partly unknown.

`pipeline.results.resolution` says why. Numbers of all subjects together are exact: how many labels
a trial lacks is part of its report. The verdict is decided by the exact numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from components.evaluator.records import Record
from pipeline.metrics import METRICS
from pipeline.names import CHALLENGER
from pipeline.results.documents import OVERALL, Group
from pipeline.results.resolution import (
    at_resolution,
    fewest_counted,
    fewest_known,
    rounded_count,
)

_Content = dict[str, Any]
_OF_PREDICTED = ("predicted_positives", "predicted_negatives")


class GroupResolution:
    """What is shown of the groups of an evaluation.

    Args:
        records: All records.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._unknown: dict[tuple[str, Group], int] = {}
        self._shares: dict[tuple[object, ...], float] = {}
        self._known_share: dict[str, float] = {}
        for record in records:
            if not record.is_of_champion:
                self._unknown[record.task, record.group] = record.unknown
                if record.group == OVERALL and record.subjects:
                    members = record.subjects + record.unknown
                    self._known_share[record.task] = record.subjects / members
            if record.metric in ("sensitivity", "false_positive_rate"):
                self._shares[_place(record), record.metric] = record.value
        self._tasks = {task for (task, _), unknown in self._unknown.items() if unknown}

    def is_coarse(self, task: str, group: Group) -> bool:
        """Whether the numbers of a group are shown at its resolution; else they are exact."""
        return group != OVERALL and task in self._tasks

    def record(self, record: Record) -> Record:
        """The record as it is shown."""
        if not self.is_coarse(record.task, record.group):
            return record
        subjects = self.subjects(record)
        counted = replace(
            record,
            subjects=subjects,
            positives=min(rounded_count(record.positives), subjects),
            unknown=0,
        )
        if not METRICS[record.metric].is_counted:
            return counted
        value, lower, upper = (
            at_resolution(number, self._denominator(record))
            for number in (record.value, record.lower, record.upper)
        )
        return replace(counted, value=value, lower=lower, upper=upper)

    def subjects(self, record: Record) -> int:
        """Number of subjects that is shown: all of the group, known label or not.

        Of subjects that champion and challenger are compared on, which are a part of the group, the
        rounded number.
        """
        if record.unknown == self._unknown.get((record.task, record.group), record.unknown):
            return record.subjects + record.unknown
        return rounded_count(record.subjects)

    def curves(self, record: Record, found: Mapping[str, Any]) -> _Content:
        """The curves of a group as they are shown.

        Args:
            record: A record of the group and the model.
            found: The curves as in `curves.json`.
        """
        content = dict(found)
        if not self.is_coarse(record.task, record.group):
            return content
        counted = self._counted(record)
        rates = {
            "true_positive_rate": counted.positives,
            "false_positive_rate": counted.negatives,
        }
        for name, change in _CURVES.items():
            content[name] = [change(dict(item), counted) for item in found.get(name, ())]
        content["confusion"] = [_confusion(item, rates) for item in found.get("confusion", ())]
        content["roc"] = [_at(item, rates) for item in found.get("roc", ())]
        if found.get("stability"):
            bins = [_counted(item) for item in found["stability"]["bins"]]
            content["stability"] = {**found["stability"], "bins": bins}
        # Positives by subjects is no rate of those whose label is known.
        outcomes = found.get("weighted") or {
            "observed_rate": record.positives / record.subjects,
            "effective_subjects": self._known_share.get(record.task, 1.0) * self.subjects(record),
        }
        content["weighted"] = {
            **_at(outcomes, {"observed_rate": counted.subjects}),
            "effective_subjects": float(rounded_count(round(outcomes["effective_subjects"]))),
        }
        if "referral" not in found:
            del content["referral"]
        return content

    def _counted(self, record: Record) -> _Counted:
        subjects = fewest_known(self.subjects(record), self._known_share.get(record.task, 1.0))
        positives = rounded_count(record.positives)
        return _Counted(
            subjects=subjects,
            positives=fewest_counted(positives),
            negatives=max(subjects - positives, 1.0),
        )

    def _denominator(self, record: Record) -> float:
        counted, trials = self._counted(record), METRICS[record.metric].trials
        if trials in _OF_PREDICTED:
            predicted = self._predicted(record, counted)
            return predicted if trials == "predicted_positives" else counted.subjects - predicted
        return {"positives": counted.positives, "negatives": counted.negatives}.get(
            str(trials), counted.subjects
        )

    def _predicted(self, record: Record, counted: _Counted) -> float:
        """Subjects that are predicted to have the outcome, by the shares as they are shown.

        A difference is that of two models.
        """
        model = CHALLENGER if record.model == "difference" else record.model
        place = _place(replace(record, model=model, versus=None))
        # Without a subject of one outcome its share is not a number.
        sensitivity, alarms = (
            share if math.isfinite(share := self._shares.get((place, name), 0.0)) else 0.0
            for name in ("sensitivity", "false_positive_rate")
        )
        return (
            at_resolution(sensitivity, counted.positives) * counted.positives
            + at_resolution(alarms, counted.negatives) * counted.negatives
        )


@dataclass(frozen=True)
class _Counted:
    """About the fewest subjects that a group may have with a known label, as far as is shown.

    Attributes:
        subjects: All of them.
        positives: Those with the outcome.
        negatives: Those without it.
    """

    subjects: float
    positives: float
    negatives: float


def _place(record: Record) -> tuple[object, ...]:
    return record.task, record.group, record.decision_threshold, record.model, record.versus


def _at(item: Mapping[str, Any], denominators: Mapping[str, float]) -> _Content:
    """An item with some of its numbers at the resolution of their denominators."""
    return {
        **item,
        **{
            name: at_resolution(item[name], subjects)
            for name, subjects in denominators.items()
            if item.get(name) is not None
        },
    }


def _counted(item: Mapping[str, Any]) -> _Content:
    return {**item, "subjects": rounded_count(item["subjects"])}


def _bin(item: _Content, counted: _Counted) -> _Content:
    del counted
    fewest: float = fewest_counted(rounded_count(item["subjects"]))
    return _counted(_at(item, dict.fromkeys(("observed_rate", "lower", "upper"), fewest)))


def _decision(item: _Content, counted: _Counted) -> _Content:
    return _at(item, {name: counted.subjects for name in item if name != "threshold"})


def _referral(item: _Content, counted: _Counted) -> _Content:
    fewest = fewest_counted(rounded_count(item["subjects"]))
    return _counted(_at(item, {"referred": counted.subjects, "observed_rate": fewest}))


_CURVES: dict[str, Callable[[_Content, _Counted], _Content]] = {
    "calibration": _bin,
    "decision": _decision,
    "referral": _referral,
}


def _confusion(item: Mapping[str, Any], rates: Mapping[str, float]) -> _Content:
    """Rounded numbers, beside the rates, which no longer follow from them."""
    numbers = {name: item[name] for name in item if name.endswith(("positives", "negatives"))}
    with_outcome = numbers["true_positives"] + numbers["false_negatives"]
    without = numbers["false_positives"] + numbers["true_negatives"]
    exact = {
        "true_positive_rate": numbers["true_positives"] / with_outcome if with_outcome else None,
        "false_positive_rate": numbers["false_positives"] / without if without else None,
    }
    weighted = {name: rate for name in exact if (rate := item.get(name)) is not None}
    shown = _at({**exact, **weighted}, rates)
    return {**item, **{name: rounded_count(n) for name, n in numbers.items()}, **shown}
