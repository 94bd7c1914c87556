"""Numbers of groups at the resolution of one subject, where labels of a task are partly unknown.

`pipeline.results.resolution` says why. Numbers of all subjects together are exact: how many labels
a trial lacks is part of its report. The verdict is decided by the exact numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from components.evaluator.records import Record
from pipeline.metrics import METRICS
from pipeline.names import CHALLENGER
from pipeline.results.documents import OVERALL, Group
from pipeline.results.resolution import at_resolution, rounded_count

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
        for record in records:
            if not record.is_of_champion:
                self._unknown[record.task, record.group] = record.unknown
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
        rates = {
            "true_positive_rate": record.positives,
            "false_positive_rate": record.negatives,
        }
        for name, change in _CURVES.items():
            content[name] = [change(dict(item), record) for item in found.get(name, ())]
        content["confusion"] = [_confusion(item, rates) for item in found.get("confusion", ())]
        content["roc"] = [_at(item, rates) for item in found.get("roc", ())]
        if found.get("stability"):
            bins = [_counted(item) for item in found["stability"]["bins"]]
            content["stability"] = {**found["stability"], "bins": bins}
        if found.get("weighted"):
            shown = _at(found["weighted"], {"observed_rate": record.subjects})
            effective = float(rounded_count(round(shown["effective_subjects"])))
            content["weighted"] = {**shown, "effective_subjects": effective}
        if "referral" not in found:
            del content["referral"]
        return content

    def _denominator(self, record: Record) -> int:
        trials = METRICS[record.metric].trials
        if trials in _OF_PREDICTED:
            predicted = self._predicted(record)
            return predicted if trials == "predicted_positives" else record.subjects - predicted
        return {"positives": record.positives, "negatives": record.negatives}.get(
            str(trials), record.subjects
        )

    def _predicted(self, record: Record) -> int:
        """Subjects that are predicted to have the outcome; a difference is that of two models."""
        model = CHALLENGER if record.model == "difference" else record.model
        place = _place(replace(record, model=model, versus=None))
        sensitivity, alarms = (
            self._shares.get((place, share), 0.0)
            for share in ("sensitivity", "false_positive_rate")
        )
        return round(sensitivity * record.positives + alarms * record.negatives)


def _place(record: Record) -> tuple[object, ...]:
    return record.task, record.group, record.decision_threshold, record.model, record.versus


def _at(item: Mapping[str, Any], denominators: Mapping[str, int]) -> _Content:
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


def _bin(item: _Content, record: Record) -> _Content:
    del record
    subjects: int = item["subjects"]
    rates = dict.fromkeys(("observed_rate", "lower", "upper"), subjects)
    return _counted(_at(item, rates))


def _decision(item: _Content, record: Record) -> _Content:
    return _at(item, {name: record.subjects for name in item if name != "threshold"})


def _referral(item: _Content, record: Record) -> _Content:
    of_all = _at(item, {"referred": record.subjects})
    return _counted(_at(of_all, {"observed_rate": item["subjects"]}))


_CURVES: dict[str, Callable[[_Content, Record], _Content]] = {
    "calibration": _bin,
    "decision": _decision,
    "referral": _referral,
}


def _confusion(item: Mapping[str, Any], rates: Mapping[str, int]) -> _Content:
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
