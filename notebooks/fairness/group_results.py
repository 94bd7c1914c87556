"""A task's results by group, as the fairness notebook shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from notebooks.opened_run import OpenedRun
from pipeline.estimates import Estimate
from pipeline.html.blocks import Figure
from pipeline.html.charts import ForestRow, Measure, forest_plot
from pipeline.html.numbers import Suppressed
from pipeline.metrics import METRICS
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.evaluation.wording import slicing_text, values_text
from pipeline.pages.metrics import metric_title
from pipeline.results.decisions import decision_records
from pipeline.results.documents import OVERALL, Group, GroupCurves, MetricRecord
from pipeline.results.fairness import Contrast, contrasts

OVERALL_NAME = "overall"

_IDEAL: dict[str, float | None] = {"calibration_in_the_large": 0.0}
"""Position of a plot's reference line; for all other metrics it is the overall value."""


@dataclass(frozen=True)
class TaskGroups:
    """Results of the challenger for one task in all groups.

    Attributes:
        result: The run's result.
        task: The task.
        decided: Records at decision thresholds that `metrics.json` does not hold, of all tasks.
    """

    result: RunResult
    task: str
    decided: Sequence[MetricRecord]

    @property
    def title(self) -> str:
        """The task for people."""
        return self.result.settings.tasks[self.task].title

    @property
    def decision_thresholds(self) -> list[float]:
        """Decision thresholds of the task in the study file."""
        return self.result.decision_thresholds(self.task)

    @cached_property
    def groups(self) -> list[Group]:
        """Groups that are shown, by one slicing and then by pairs."""
        return self.result.groups(self.task)

    @cached_property
    def single(self) -> list[Group]:
        """Groups by one slicing."""
        return [group for group in self.groups if len(group) == 1]

    @property
    def by_slicing(self) -> list[list[Group]]:
        """Groups of single slicings, by slicing."""
        found: dict[str, list[Group]] = {}
        for group in self.single:
            found.setdefault(group[0][0], []).append(group)
        return list(found.values())

    @cached_property
    def pairs(self) -> dict[tuple[str, ...], list[Group]]:
        """Groups of pairs of slicings, by pair."""
        found: dict[tuple[str, ...], list[Group]] = {}
        for group in self.groups:
            if len(group) > 1:
                found.setdefault(tuple(name for name, _ in group), []).append(group)
        return found

    def estimate(self, metric: str, group: Group, at: float | None = None) -> Estimate:
        """A metric with its interval; a placeholder if the group is suppressed."""
        found = self._records.get((metric, group, at))
        return found.estimate if found else Estimate()

    def of_groups(
        self, metric: str, groups: Sequence[Group], at: float | None = None
    ) -> list[MetricRecord]:
        """Records of a metric in some groups."""
        return [found for group in groups if (found := self._records.get((metric, group, at)))]

    def contrasts(
        self, metric: str, groups: Sequence[Group], at: float | None = None
    ) -> list[Contrast]:
        """Groups compared with the largest one of their slicing."""
        return contrasts(self.of_groups(metric, groups, at))

    def subjects(self, group: Group) -> int | Suppressed:
        """Number of subjects of a group that `metrics.json` shows."""
        return self.result.subjects(self.task, group)

    def positives(self, group: Group) -> int | Suppressed:
        """Those of them with the outcome."""
        return self.result.positives(self.task, group)

    @cached_property
    def curves(self) -> Mapping[Group, GroupCurves]:
        """Curves of the challenger by group."""
        return {
            found.group: found
            for found in self.result.curves.curves
            if (found.task, found.model) == (self.task, "challenger")
        }

    @cached_property
    def not_shown(self) -> list[Group]:
        """Suppressed groups: too small, or another one would follow from them."""
        return [
            tuple(item.slice.items())
            for item in self.result.metrics.suppressed
            if item.task == self.task
        ]

    def forest(
        self, metric: str, groups: Sequence[Group], at: float | None = None, caption: str = ""
    ) -> Figure:
        """Rows of a metric: overall, and groups under a heading for each slicing."""
        rows: list[ForestRow | str] = [self._row(metric, OVERALL, at)]
        slicing = ""
        for group in groups:
            if slicing_text(group) != slicing:
                slicing = slicing_text(group)
                rows.append(slicing)
            rows.append(self._row(metric, group, at))
        term = METRICS[metric]
        return forest_plot(
            rows,
            Measure(metric_title(metric, at), term.decimals, term.percent),
            caption,
            reference=_IDEAL.get(metric, self.estimate(metric, OVERALL, at).value),
        )

    def _row(self, metric: str, group: Group, at: float | None) -> ForestRow:
        return ForestRow(
            values_text(group) or OVERALL_NAME,
            self.estimate(metric, group, at),
            self.subjects(group),
        )

    @cached_property
    def _records(self) -> dict[tuple[str, Group, float | None], MetricRecord]:
        return {
            (record.metric, record.group, record.decision_threshold): record
            for record in (*self.result.metrics.records, *self.decided)
            if (record.task, record.model) == (self.task, "challenger")
        }


def task_groups(run: OpenedRun) -> list[TaskGroups]:
    """The results of all tasks, in the study file's order; tasks without records are excluded.

    Raises:
        UserError: The run ended before its evaluation.
    """
    result = run.result
    decided = decision_records(result.curves)
    return [
        TaskGroups(result, task, decided)
        for task in result.settings.tasks
        if task in result.metrics.tasks
    ]


def group_name(group: Group) -> str:
    """A group with its slicings, such as `sex F, age_band <50`."""
    return ", ".join(f"{name} {value}" for name, value in group) or OVERALL_NAME
