"""What RunPage is told of the study and the run: its one parameter."""

from __future__ import annotations

from typing import Literal

from pipeline.documents import parse_document
from pipeline.study.conditions import StrictModel
from pipeline.study.sections import Threshold
from pipeline.study.study import Study


class TaskTitle(StrictModel):
    """A task for people."""

    title: str
    kind: Literal["outcome", "response", "adverse_event"]


class PageConfig(StrictModel):
    """The parts of a study that its page names.

    Attributes:
        study: Name of the study.
        title: The study for people.
        tasks: In the study file's order.
        slices: Names of the slicings, in the study file's order.
        thresholds: What a model must reach.
    """

    study: str
    title: str
    tasks: dict[str, TaskTitle]
    slices: tuple[str, ...]
    thresholds: tuple[Threshold, ...]


def page_section(study: Study) -> str:
    """RunPage's parameter, as JSON that changes only with what the page names."""
    config = PageConfig(
        study=study.study,
        title=study.title or study.study,
        tasks={
            name: TaskTitle(title=task.title, kind=task.kind) for name, task in study.tasks.items()
        },
        slices=tuple(study.slices.groups),
        thresholds=tuple(study.thresholds),
    )
    return config.model_dump_json()


def parse_page_section(text: str) -> PageConfig:
    """Reads what `page_section` wrote.

    Raises:
        UserError: It is something else.
    """
    return parse_document(
        PageConfig,
        text,
        "Parameter `page` of RunPage",
        "what pipeline.pages.evaluation.config.page_section makes",
        "Make it with that.",
    )
