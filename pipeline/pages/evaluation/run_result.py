"""The result of a run, as its pages show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.estimates import Estimate
from pipeline.html.blocks import Cell
from pipeline.html.numbers import Suppressed
from pipeline.pages.evaluation.settings import RunPageSettings
from pipeline.results.counts import Counts
from pipeline.results.documents import (
    OVERALL,
    Curves,
    Group,
    GroupCurves,
    MetricRecord,
    Metrics,
    ModelRole,
    Verdict,
)
from pipeline.results.findings import Findings
from pipeline.results.group_order import rising
from pipeline.results.importance import Importance
from pipeline.results.outcomes import Origin
from pipeline.results.registration import Registration
from pipeline.results.titled_groups import with_titles
from pipeline.study.sections import Threshold
from pipeline.titles import Titles, titled

_Key = tuple[str, str, Group, ModelRole, float | None]


@dataclass(frozen=True)
class RunResult:
    """The result of a run.

    Attributes:
        settings: The study for people.
        code_version: Version of the project.
        fingerprint: Of data and study file.
        metrics: The metrics.
        verdict: The verdict.
        curves: Curves of the groups shown.
        findings: The gate's findings.
        counts: Rows and subjects.
        registration: Whether the model became the champion.
        importance: How much each feature moves the predictions; None where it was not measured.
    """

    settings: RunPageSettings
    code_version: str
    fingerprint: str
    metrics: Metrics
    verdict: Verdict
    curves: Curves
    findings: Findings
    counts: Counts
    registration: Registration
    importance: Importance | None = None

    @property
    def titled(self) -> RunResult:
        """The result with groups by the titles of slicings, as people read it."""
        titles = self.settings.slicing_titles
        slicings = tuple(titled(name, titles) for name in self.settings.slicings)
        return replace(
            self,
            settings=self.settings.model_copy(update={"slicings": slicings}),
            metrics=with_titles(self.metrics, titles),
            verdict=with_titles(self.verdict, titles),
            curves=with_titles(self.curves, titles),
        )

    @property
    def titles(self) -> Titles:
        """Titles of the tasks, for texts; the groups of `titled` have theirs."""
        return Titles.of({name: task.title for name, task in self.settings.tasks.items()})

    def record(
        self,
        task: str,
        metric: str,
        group: Group = OVERALL,
        model: ModelRole = "challenger",
        decision_threshold: float | None = None,
    ) -> MetricRecord | None:
        """A record; None where the group is not shown."""
        return self._records.get((task, metric, group, model, decision_threshold))

    def estimate(
        self,
        task: str,
        metric: str,
        group: Group = OVERALL,
        model: ModelRole = "challenger",
        decision_threshold: float | None = None,
    ) -> Estimate:
        """A record's number with its interval; without a number where there is no record."""
        found = self.record(task, metric, group, model, decision_threshold)
        return found.estimate if found else Estimate()

    def judged(self, task: str, metric: str, group: Group = OVERALL) -> Estimate | Cell:
        """A number with its interval, marked where it fails a threshold of the study."""
        found = self.estimate(task, metric, group)
        return Cell(found, "bad") if self.failed(task, metric, group) else found

    def has_unknown_labels(self, task: str) -> bool:
        """Whether the outcome of some subjects is unknown: groups are then not counted exactly."""
        return any(sum(part.masked.values()) for part in self.counts.tasks[task].values())

    def subjects(self, task: str, group: Group = OVERALL) -> int | Suppressed:
        """Number of subjects of a group that `metrics.json` shows."""
        found = self.record(task, "auc", group)
        return found.subjects if found else self.not_shown(task, group)

    def positives(self, task: str, group: Group = OVERALL) -> int | Suppressed:
        """Those of them with the outcome."""
        found = self.record(task, "auc", group)
        return found.positives if found else self.not_shown(task, group)

    def groups(self, task: str) -> list[Group]:
        """Slices of a task that are shown, in the study file's order."""
        shown = {
            record.group: None
            for record in self.metrics.records
            if record.task == task and record.group
        }
        order = {name: place for place, name in enumerate(self.settings.slicings)}
        return sorted(
            shown,
            key=lambda group: (
                len(group),
                [order.get(name, -1) for name, _ in group],
                [rising(value) for _, value in group],
            ),
        )

    @property
    def thresholds(self) -> list[tuple[Origin, Threshold]]:
        """All thresholds that were applied, in the order of their numbers in comparisons."""
        return self.verdict.applied(self.settings.thresholds)

    def reason_texts(self) -> list[str]:
        """Why tasks are refused or not judged, for people."""
        return [
            *self.verdict.drop_texts(self.titles),
            *(
                text
                for task in self.settings.tasks
                for text in self.verdict.of_task(task).reason_texts(self.titles)
            ),
        ]

    def not_shown(self, task: str, group: Group) -> Suppressed:
        """The placeholder for a group's numbers."""
        is_limited = group == OVERALL or (task, group) in self._limited
        return Suppressed(self.metrics.smallest_group if is_limited else None)

    def count_not_shown(self, task: str) -> tuple[int, int]:
        """Number of groups of a task that are too small, and of those that protect another one."""
        reasons = [reason for (name, _), reason in self._suppressed.items() if name == task]
        return reasons.count("too_small"), reasons.count("complementary")

    def curves_of(self, task: str, model: ModelRole) -> GroupCurves | None:
        """Curves of all subjects."""
        return self.curves.of_all(task, model)

    def decision_thresholds(self, task: str) -> list[float]:
        """Decision thresholds of a task, rising."""
        found = {
            record.decision_threshold
            for record in self.metrics.records
            if record.task == task and record.decision_threshold is not None
        }
        return sorted(found)

    def failed(self, task: str, metric: str, group: Group) -> bool:
        """Whether the model failed a threshold on this metric in this group."""
        return any(
            (reason.task, reason.metric, reason.group, reason.model)
            == (task, metric, group, "challenger")
            for reason in self.verdict.reasons
        )

    @cached_property
    def _records(self) -> Mapping[_Key, MetricRecord]:
        return {
            (item.task, item.metric, item.group, item.model, item.decision_threshold): item
            for item in self.metrics.records
            if item.versus is None
        }

    @cached_property
    def _limited(self) -> set[tuple[str, Group]]:
        """Groups that are listed with a limit of their size."""
        return {(item.task, item.group) for item in self.metrics.suppressed if item.subjects}

    @cached_property
    def _suppressed(self) -> Mapping[tuple[str, Group], str]:
        return {(item.task, item.group): item.reason for item in self.metrics.suppressed}
