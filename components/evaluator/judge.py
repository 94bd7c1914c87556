"""The verdict on a model: its records compared with the study's thresholds."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.evaluator.coarse import GroupResolution
from components.evaluator.comparisons import (
    Application,
    Comparison,
    RecordKey,
    Suppressed,
    compare,
)
from components.evaluator.named_groups import NamedGroups
from components.evaluator.records import Record, number_or_none
from components.evaluator.settings import EvaluatorSettings
from pipeline.metrics import METRICS
from pipeline.names import CHAMPION
from pipeline.results.documents import OVERALL, Group, ModelRole
from pipeline.results.judged import Judged
from pipeline.results.outcomes import LACKS_EVIDENCE, Origin
from pipeline.results.suppress import SuppressionReason
from pipeline.results.task_verdicts import TaskDecision, TaskVerdict
from pipeline.study.sections import Threshold
from pipeline.titles import NAMES

NOT_COMPARED = Judged(reason="not_compared")


@dataclass(frozen=True)
class Verdict:
    """The decision on a model with its comparisons.

    Attributes:
        comparisons: All comparisons, including those of the champion's own metrics.
        notes: Notes for the reader.
        smallest_group: Fewest subjects of a group that is judged.
        tasks: All tasks in their order.
        served: Tasks that the champion serves and the model must serve to replace it.
        defaults: The default thresholds that were applied.
    """

    comparisons: tuple[Comparison, ...]
    notes: tuple[Judged, ...]
    smallest_group: int
    tasks: tuple[str, ...]
    served: tuple[str, ...] = ()
    defaults: tuple[Threshold, ...] = ()

    @property
    def blessed(self) -> bool:
        """Whether the model is blessed: at least one of its tasks is, and it drops none."""
        return bool(self._blessed_tasks) and not self.dropped

    @property
    def dropped(self) -> tuple[str, ...]:
        """Tasks because of which a model with blessed tasks does not replace the champion."""
        blessed = self._blessed_tasks
        return tuple(task for task in self.served if task not in blessed) if blessed else ()

    @property
    def by_task(self) -> dict[str, TaskVerdict]:
        """The verdict on each task.

        A comparison that fails in any group refuses a task. Otherwise a comparison of all its
        subjects that lacks evidence leaves it not judged, and so does the want of any comparison of
        all its subjects that passes. A group that is not judged refuses nothing.
        """
        return {task: self._of_task(task) for task in self.tasks}

    @property
    def judged(self) -> bool:
        """Whether there is any deciding comparison that was judged."""
        return self.compared > 0

    @property
    def compared(self) -> int:
        """Number of deciding comparisons that were judged."""
        return sum(item.outcome != "not_judged" for item in self._deciding())

    @property
    def refusals(self) -> tuple[Comparison, ...]:
        """Comparisons because of which a task is refused, without those that say the same."""
        first: dict[str, Comparison] = {}
        for item in self.comparisons:
            if item.refuses:
                first.setdefault(item.judged.text(NAMES), item)
        return tuple(first.values())

    @property
    def groups_not_judged(self) -> tuple[tuple[str, Group], ...]:
        """Task and group of the groups that are too small to be judged."""
        small = (
            (item.application.task, item.application.group)
            for item in self._deciding()
            if item.reason == "group_too_small"
        )
        return tuple(dict.fromkeys(small))

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON-like content."""
        return {
            "blessed": self.blessed,
            "judged": self.judged,
            "compared": self.compared,
            "comparisons": [item.to_json() for item in self.comparisons],
            "defaults": [
                item.model_dump(mode="json", exclude_defaults=True) for item in self.defaults
            ],
            "tasks": {
                task: {"verdict": found.verdict, "reasons": [_json(item) for item in found.reasons]}
                for task, found in self.by_task.items()
            },
            "dropped_tasks": list(self.dropped),
            "reasons": [_refusal_json(item) for item in self.refusals],
            "not_judged": [
                {"task": task, "slice": dict(group)} for task, group in self.groups_not_judged
            ],
            "notes": [_json(note) for note in self.notes],
        }

    @property
    def _blessed_tasks(self) -> tuple[str, ...]:
        return tuple(task for task, found in self.by_task.items() if found.verdict == "blessed")

    def _of_task(self, task: str) -> TaskVerdict:
        failed = [item.judged for item in self.refusals if item.application.task == task]
        if failed:
            return _task_verdict("refused", failed)
        of_all = [
            item
            for item in self._deciding()
            if item.application.task == task and item.application.group == OVERALL
        ]
        lacking = [item.judged for item in of_all if item.reason in LACKS_EVIDENCE]
        if not lacking and not any(item.outcome == "passes" for item in of_all):
            lacking = [Judged(reason="nothing_demanded", task=task)]
        return _task_verdict("not_judged", lacking) if lacking else _task_verdict("blessed", ())

    def _deciding(self) -> Iterator[Comparison]:
        return (item for item in self.comparisons if item.decides)


def judge(
    records: Sequence[Record],
    suppressed: Suppressed,
    settings: EvaluatorSettings,
    no_champion: Judged | None,
    champion_tasks: Sequence[str] = (),
    defaults: Sequence[Threshold] = (),
    suppressed_comparisons: Suppressed | None = None,
) -> Verdict:
    """Judges a model.

    The metrics of a scored champion are compared with the same thresholds, to monitor the model in
    use; these comparisons do not decide on the challenger.

    Args:
        records: All records, including those of suppressed groups.
        suppressed: Suppressed groups by task.
        settings: Thresholds and decision thresholds.
        no_champion: Reason why there is no comparable champion; None if there is one.
        champion_tasks: Tasks that the champion serves, comparable or not.
        defaults: Default thresholds beside those of the study file.
        suppressed_comparisons: Groups in which no comparison with the champion is shown, by task;
            the suppressed groups, where not given.

    Returns:
        The verdict. A task of which nothing is demanded is not judged.
    """
    by_key: dict[RecordKey, Record] = {
        (r.task, r.group, r.metric, r.decision_threshold, r.model, r.versus): r for r in records
    }
    by_group = {(r.task, r.group) for r in records} | {(task, OVERALL) for task in settings.tasks}
    notes = [no_champion] if no_champion else []
    if no_champion and any(threshold.versus == CHAMPION for threshold in settings.thresholds):
        notes.append(NOT_COMPARED)
    compared = () if no_champion else tuple(champion_tasks)
    groups = GroupResolution(records)
    judged_groups = _groups(settings, records, suppressed)
    of_champion = suppressed if suppressed_comparisons is None else suppressed_comparisons
    comparisons = [
        comparison
        for application in _applications(settings, defaults, judged_groups, compared)
        for comparison in compare(
            application,
            by_key.get(application.key),
            _suppression(application, of_champion, suppressed, by_group),
            settings.smallest_group,
            has_champion=application.task in compared,
            groups=groups,
        )
    ]
    return Verdict(
        comparisons=tuple(comparisons),
        notes=tuple(notes),
        smallest_group=settings.smallest_group,
        tasks=tuple(settings.tasks),
        served=() if settings.drop_tasks == "allowed" else tuple(champion_tasks),
        defaults=tuple(defaults),
    )


def _suppression(
    application: Application,
    of_champion: Suppressed,
    of_all: Suppressed,
    found: Collection[tuple[str, Group]],
) -> SuppressionReason | None:
    """Why a group is not shown; a name that no group has stands for small ones, or for none."""
    if (application.task, application.group) not in found:
        return "too_small"
    hidden = of_champion if application.is_of_champion else of_all
    return hidden.get(application.task, {}).get(application.group)


def _applications(
    settings: EvaluatorSettings,
    defaults: Sequence[Threshold],
    groups: Mapping[str, Sequence[Group]],
    compared: Sequence[str],
) -> Iterator[Application]:
    """Each threshold in each group in its scope, with the models whose metrics are judged.

    `compared` are the tasks of a comparable champion.
    """
    demanded = len(settings.thresholds)
    for number, threshold in enumerate((*settings.thresholds, *defaults)):
        origin: Origin = "study" if number < demanded else "default"
        for task in threshold.tasks or settings.tasks:
            for model in _models(threshold, task in compared):
                everywhere = threshold.scope == "every_slice"
                for group in groups[task] if everywhere else (OVERALL,):
                    for decision in _decisions(threshold, settings.tasks[task]):
                        yield Application(number, origin, threshold, task, group, decision, model)


def _groups(
    settings: EvaluatorSettings, records: Sequence[Record], suppressed: Suppressed
) -> Mapping[str, Sequence[Group]]:
    """Groups of each task, all subjects first; those that are too small by their names."""
    names = NamedGroups(records, settings.expanded_slicings, settings.smallest_group)
    groups: dict[str, dict[Group, None]] = {task: {OVERALL: None} for task in settings.tasks}
    for record in records:
        if suppressed.get(record.task, {}).get(record.group) != "too_small":
            groups[record.task][record.group] = None
    for task, found in groups.items():
        found |= {
            group: None for group, _ in names.not_shown(suppressed.get(task, {}), list(found))
        }
    return {
        task: sorted(found, key=lambda group: (len(group), group)) for task, found in groups.items()
    }


def _models(threshold: Threshold, has_champion: bool) -> tuple[ModelRole, ...]:
    if threshold.versus:
        return ("difference",)
    return ("challenger", "champion") if has_champion else ("challenger",)


def _decisions(threshold: Threshold, own: tuple[float, ...]) -> tuple[float | None, ...]:
    if not METRICS[threshold.metric].at_decision:
        return (None,)
    return own if threshold.decision_threshold is None else (threshold.decision_threshold,)


def _task_verdict(verdict: TaskDecision, reasons: Sequence[Judged]) -> TaskVerdict:
    """A verdict with each reason once: of two comparisons that say the same the first."""
    once = {reason.text(NAMES): reason for reason in reversed(reasons)}
    return TaskVerdict(verdict=verdict, reasons=tuple(reversed(once.values())))


def _refusal_json(refusal: Comparison) -> dict[str, Any]:
    of, shown = refusal.application, refusal.shown
    return _json(refusal.judged) | {
        "task": of.task,
        "slice": dict(of.group),
        "metric": of.threshold.metric,
        "decision_threshold": of.decision_threshold,
        "model": of.model,
        "value": number_or_none(shown.value if shown else math.nan),
        "threshold": of.threshold.model_dump(mode="json", exclude_defaults=True),
    }


def _json(judged: Judged) -> dict[str, Any]:
    return judged.model_dump(mode="json", exclude_defaults=True)
