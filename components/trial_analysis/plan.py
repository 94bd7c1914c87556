"""What TrialAnalysis is told of the study: its one parameter."""

from __future__ import annotations

from typing import Literal

from pipeline.documents import parse_document
from pipeline.study.conditions import StrictModel
from pipeline.study.sections import Analysis, Arm
from pipeline.study.study import Study


class TaskPlan(StrictModel):
    """What a task is called."""

    title: str
    kind: str


class AnalysisPlan(StrictModel):
    """The parts of a study that the analysis rests on.

    Attributes:
        study: Name of the study.
        title: Its title.
        arm: The arms; None where there are none.
        characteristics: Features that are known at baseline, with their kind.
        tasks: The tasks.
        slicings: Names of the slicings that subgroups are made by; not those by arm.
        smallest_group: Fewest subjects that a group is shown for.
        landmark: Study day after which outcomes count; None where that is baseline.
        analysis: The study file's own section.
    """

    study: str
    title: str
    arm: Arm | None
    characteristics: dict[str, Literal["number", "category"]]
    tasks: dict[str, TaskPlan]
    slicings: tuple[str, ...]
    smallest_group: int
    landmark: int | None
    analysis: Analysis

    @property
    def covariates(self) -> tuple[str, ...]:
        """Characteristics that differences are adjusted for."""
        chosen = self.analysis.adjust_for
        return tuple(self.characteristics) if chosen is None else chosen


def analysis_section(study: Study) -> str:
    """The component's parameter, as JSON that changes only with what the analysis rests on."""
    arm_columns = study.arm.columns if study.arm else ()
    plan = AnalysisPlan(
        study=study.study,
        title=study.title,
        arm=study.arm,
        characteristics={feature.name: feature.kind for feature in study.baseline_features},
        tasks={
            name: TaskPlan(title=task.title, kind=task.kind) for name, task in study.tasks.items()
        },
        slicings=tuple(
            name
            for name, group in study.slices.groups.items()
            if group.of != "arm" and group.column not in arm_columns
        ),
        smallest_group=study.slices.smallest_group,
        landmark=study.landmark_day if study.landmark_day > study.first_day else None,
        analysis=study.analysis,
    )
    return plan.model_dump_json(by_alias=True)


def parse_analysis_section(text: str) -> AnalysisPlan:
    """Reads what `analysis_section` wrote.

    Raises:
        UserError: It is something else.
    """
    return parse_document(
        AnalysisPlan,
        text,
        "Parameter `plan` of TrialAnalysis",
        "what components.trial_analysis.plan.analysis_section makes",
        "Make it with that.",
    )
